"""Leases of hosts in the store: whatever passes do in whatever order, a host has one holder."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.store import Connection, Store, hosts, open_store, schema

NOW = datetime(2027, 3, 1, 4, 30, tzinfo=UTC)
NAMES = ["harbour-daily.example", "jade-bay.example:8080", "海港.example"]
S = timedelta(seconds=1)


@contextmanager
def empty() -> Iterator[Connection]:
    """A transaction on a store in memory."""
    store = open_store("sqlite:///:memory:")
    try:
        with store.write() as connection:
            schema.hosts.create(connection)
            yield connection
    finally:
        store.close()


def test_a_free_host_is_taken_and_a_held_one_is_not() -> None:
    """Of many at once those that are free; from the instant at which a lease is over it counts no more."""
    with empty() as connection:
        assert hosts.take(connection, NAMES[:2], "a", NOW, NOW + 30 * S) == dict.fromkeys(NAMES[:2])
        assert hosts.take(connection, NAMES, "b", NOW + 29 * S, NOW + 60 * S) == {NAMES[2]: None}
        assert hosts.holds(connection, NAMES[0], "a")
        assert set(hosts.take(connection, NAMES, "b", NOW + 30 * S, NOW + 60 * S)) == set(NAMES[:2])
        assert not hosts.holds(connection, NAMES[0], "a")
        assert hosts.take(connection, [], "c", NOW, NOW) == {}


def test_who_lost_a_host_can_neither_renew_it_nor_give_it_back() -> None:
    """Nor does giving up all that one holds free what another holds."""
    with empty() as connection:
        hosts.take(connection, NAMES, "a", NOW, NOW + S)
        hosts.take(connection, NAMES[:2], "b", NOW + S, NOW + 30 * S)
        hosts.renew(connection, "a", NOW + 90 * S)
        hosts.release(connection, NAMES[0], "a", NOW)
        hosts.release_all(connection, "a", NOW + 5 * S)
        taken = hosts.take(connection, NAMES, "c", NOW + 29 * S, NOW + 60 * S)
        assert taken == {NAMES[2]: NOW + 5 * S}


def test_the_next_holder_learns_how_long_the_host_rests() -> None:
    """From who had it last; a lease that ran out leaves what was known before."""
    with empty() as connection:
        hosts.take(connection, NAMES, "a", NOW, NOW + 30 * S)
        hosts.release(connection, NAMES[0], "a", NOW + 7 * S)
        assert not hosts.holds(connection, NAMES[0], "a")
        assert hosts.take(connection, NAMES, "b", NOW + 5 * S, NOW + 30 * S) == {NAMES[0]: NOW + 7 * S}
        assert hosts.take(connection, NAMES[:1], "c", NOW + 30 * S, NOW + 60 * S) == {NAMES[0]: NOW + 7 * S}


_PASSES = st.sampled_from("abc")
_ACTS = st.lists(
    st.one_of(
        st.tuples(st.just("take"), _PASSES, st.sets(st.sampled_from(NAMES))),
        st.tuples(st.just("renew"), _PASSES, st.just(())),
        st.tuples(st.just("release"), _PASSES, st.sampled_from(NAMES).map(lambda name: (name,))),
        st.tuples(st.just("wait"), _PASSES, st.just(())),
    ),
    max_size=30,
)


@given(_ACTS, st.data())
def test_no_order_of_acts_gives_a_host_to_two(
    acts: list[tuple[str, str, tuple[str, ...]]], data: st.DataObject
) -> None:
    """Each pass believes what it was told; while no lease that it believes in is over, it is alone with the host."""
    believed: dict[tuple[str, str], datetime] = {}  # by pass and host: until when
    now = NOW
    with empty() as connection:
        for act, who, names in acts:
            until = now + data.draw(st.integers(1, 40)) * S
            if act == "wait":
                now = until
            elif act == "take":
                for name in hosts.take(connection, names, who, now, until):
                    believed[who, name] = until
            elif act == "renew":
                hosts.renew(connection, who, until)
                held = [name for pass_, name in believed if pass_ == who and hosts.holds(connection, name, who)]
                believed |= {(who, name): until for name in held}
            else:
                hosts.release(connection, names[0], who, now)
                believed.pop((who, names[0]), None)
            for name in NAMES:
                alone = [pass_ for (pass_, host), end in believed.items() if host == name and end > now]
                assert len(alone) <= 1
                assert [pass_ for pass_ in "abc" if hosts.holds(connection, name, pass_)][1:] == []
                assert all(hosts.holds(connection, name, pass_) for pass_ in alone)


def test_a_transaction_that_is_undone_takes_nothing(store: Store) -> None:
    """A pass that is killed while it takes hosts leaves no lease behind."""
    with pytest.raises(ZeroDivisionError), store.write() as connection:
        assert 1 / (len(hosts.take(connection, NAMES, "a", NOW, NOW + S)) - 3)
    with store.write() as connection:
        assert len(hosts.take(connection, NAMES, "b", NOW, NOW + S)) == 3
