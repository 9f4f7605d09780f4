"""The canonical form of a link, by which copies of one story are recognised across feeds. Pure."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlencode, urlsplit

if TYPE_CHECKING:
    import tldextract

_TRACKING = re.compile(
    r"(?:utm_.*|fbclid|gclid|dclid|gbraid|wbraid|msclkid|yclid|twclid|ttclid|igshid|igsh|mc_cid|mc_eid|_hsenc|_hsmi"
    r"|mkt_tok|oly_anon_id|oly_enc_id|vero_id|at_medium|at_campaign|at_custom\d*|ns_campaign|ns_mchannel|cmpid|ocid"
    r"|smid|spm|wt\.mc_id|ref_src|ref_url|__twitter_impression)",
    re.IGNORECASE,
)
MAX_NAME = 2_000  # bytes; an index of PostgreSQL takes no more than a third of its page of 8 KiB
# The same page elsewhere: with and without www, for telephones, and as AMP.
_OTHER_HOST = re.compile(r"^(?:www|m|mobile|amp)\.(?=[^.]+\.)")
_AMP_PATH = re.compile(r"^/amp(?=/.)|(?:/amp|\.amp)(?=(?:\.html?)?$)")
_AMP_QUERY = {"amp": ("", "1", "true"), "outputtype": ("amp",)}
_DEFAULT_PORTS = {"http": 80, "https": 443}
# Neither parameters nor fragment, and nothing that is empty: taken apart and put together again they are the same.
_PLAIN = re.compile(r"https?://[a-z0-9.-]+(?::[0-9]+)?/[\w/%~.,:@!$&'()*+=-]*(?:\?[\w/%~.,:@!$&'()*+=?-]+)?", re.ASCII)


def is_plain(link: str) -> bool:
    """Whether a link is an absolute address, as nearly all are, that joined with any other stays what it is."""
    return _PLAIN.fullmatch(link) is not None


@lru_cache(maxsize=4096)  # it is asked for several times on an entry's way into the store
def link_key(link: str | None) -> str | None:
    """``host/path?query`` without scheme, default port, fragment, tracking parameters and trailing slash.

    Without what makes it the page for telephones, or AMP, too. None when there is no link, or when it names a whole
    site rather than a story.

    >>> link_key("HTTPS://Harbour-Daily.example:443/news/5/?utm_source=rss#top")
    'harbour-daily.example/news/5'
    """
    if not link:
        return None
    try:
        parts = urlsplit(link)
        host, port = parts.hostname, parts.port
    except ValueError:
        return None
    if not host:
        return None
    host = _OTHER_HOST.sub("", host)
    if port is not None and port != _DEFAULT_PORTS.get(parts.scheme):
        host = f"{host}:{port}"
    # Bytes that are not UTF-8 (a query in Big5) come through as they are: replaced, they would all look the same.
    pairs = parse_qsl(parts.query, keep_blank_values=True, errors="surrogateescape")
    kept = [(name, value) for name, value in pairs if not (_TRACKING.fullmatch(name) or _is_amp(name, value))]
    path = _AMP_PATH.sub("", parts.path.rstrip("/")) if "amp" in parts.path else parts.path.rstrip("/")
    if not path and not kept:
        return None
    return short_name(host + path + (f"?{urlencode(kept, errors='surrogateescape')}" if kept else ""))


def _is_amp(name: str, value: str) -> bool:
    return value.lower() in _AMP_QUERY.get(name.lower(), ())


def short_name(name: str) -> str:
    """A name by which items are found, or its hash where it has more than MAX_NAME bytes of UTF-8."""
    if len(name) * 4 <= MAX_NAME or len(encoded := name.encode(errors="surrogatepass")) <= MAX_NAME:
        return name
    return f"sha256:{hashlib.sha256(encoded).hexdigest()}"


@dataclass(frozen=True, slots=True)
class HostParts:
    """A host by the public suffix list: ``under`` + ``name`` + ``suffix``; an empty suffix when nobody registers it."""

    under: tuple[str, ...]
    name: str
    suffix: str


@lru_cache(maxsize=4096)
def host_parts(host: str) -> HostParts:
    """Where the part of a host name stands that somebody registered.

    The private section of the list counts: two blogs of one hosting service are two outlets'.
    """
    found = _suffixes()(host)
    return HostParts(tuple(label for label in found.subdomain.split(".") if label), found.domain, found.suffix)


def registrable_domain(host: str) -> str:
    """The part of a host name that somebody registered: what one outlet owns. ``host`` itself when there is none.

    >>> registrable_domain("rss.news.harbour-daily.com.hk")
    'harbour-daily.com.hk'
    """
    found = host_parts(host)
    return f"{found.name}.{found.suffix}" if found.name and found.suffix else host


@cache
def _suffixes() -> tldextract.TLDExtract:
    """The list that comes with the library, and the suffixes reserved for examples (RFC 2606)."""
    # Here, because it loads an HTTP client; which it is told not to use, nor to write a cache.
    import tldextract

    return tldextract.TLDExtract(
        suffix_list_urls=(),
        cache_dir=None,
        extra_suffixes=("example", "invalid", "localhost", "test"),
        include_psl_private_domains=True,
    )
