"""Every table, once. Tables hold no behaviour; constraints here are what concurrent processes rely on."""

from monitor.store.schema.base import metadata
from monitor.store.schema.clarified import clarifications, versions
from monitor.store.schema.judged import (
    assessments,
    bands,
    incident_items,
    incidents,
    looked,
    models,
    related,
    signatures,
    to_dispatch,
    to_group,
)
from monitor.store.schema.published import feeds, hosts, items, marks, revisions, subscriptions
from monitor.store.schema.recorded import audit, cursors, notices, occasions, outbox, runs
from monitor.store.schema.reviewed import alerts, answers, comparisons, decisions, hidden, inhibitions, silences
from monitor.store.schema.searched import blocks, followed, postings, texts, to_index
from monitor.store.schema.witnessed import captures, page_items, pages, served, to_capture, warcs

__all__ = [
    "alerts",
    "answers",
    "assessments",
    "audit",
    "bands",
    "blocks",
    "captures",
    "clarifications",
    "comparisons",
    "cursors",
    "decisions",
    "feeds",
    "followed",
    "hidden",
    "hosts",
    "incident_items",
    "incidents",
    "inhibitions",
    "items",
    "looked",
    "marks",
    "metadata",
    "models",
    "notices",
    "occasions",
    "outbox",
    "page_items",
    "pages",
    "postings",
    "related",
    "revisions",
    "runs",
    "served",
    "signatures",
    "silences",
    "subscriptions",
    "texts",
    "to_capture",
    "to_dispatch",
    "to_group",
    "to_index",
    "versions",
    "warcs",
]
