"""What a citizen sees of a million disclosures: a page of findUsage, and one of ListDisclosures.

A page is the whole use case: it reads, decrypts, filters what is hidden, renders, and records the
act. The identity provider and the signature of the receipt are not measured. Five of the subjects
have a thousand disclosures and more in a month of a million; they are measured apart.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from statistics import quantiles
from typing import Any
from uuid import uuid4

from bench.month import DISCLOSURES, MONTH, month_installation, open_cached_store, sequence_log
from bench.month_population import FREQUENT_SUBJECTS, month_subjects
from bench.population import CACHE
from makul.app.acts import SubjectServices, build_acts
from makul.app.find_usage import FindUsage, UsageQuery
from makul.app.subject_acts.list_disclosures import DisclosureListRequest
from makul.composition.portals import PACKAGE
from makul.documents.adapter import XmlDocuments
from makul.domain.identifiers import MemberCode, Pin
from makul_testing.builders.subject import PORTAL_CALLER, a_token, build_subject_services

OPERATOR = MemberCode("GOV/70000001")
PAGES = 100
"""Number of pages of each kind. The frequent subjects are asked about in turn."""
PAGE = 50

Ask = Callable[[SubjectServices, Pin], bytes]


def measure_usage(*, count: int = DISCLOSURES, cache: Path = CACHE) -> dict[str, Any]:
    """Return the p95 in milliseconds of a page, for a frequent and for any other subject."""
    directory = month_installation(count, cache)
    store = open_cached_store(str(directory))
    subjects = month_subjects(count)
    groups = {
        "frequent": subjects[:FREQUENT_SUBJECTS],
        "other": subjects[FREQUENT_SUBJECTS : FREQUENT_SUBJECTS + PAGES],
    }
    try:
        return {
            "disclosures": count,
            **{
                f"{name}_{group}_p95_ms": _p95(store, ask, pins)
                for name, ask in (("find_usage", _find_usage), ("list", _list_disclosures))
                for group, pins in groups.items()
            },
        }
    finally:
        store.close()
        sequence_log(directory)  # the bench of the month reads the same store


def _p95(store: Any, ask: Ask, subjects: Sequence[Pin]) -> float:
    """Return the 95th percentile. Each page has a minute of its own: a portal has a limit."""
    taken = []
    for number in range(PAGES):
        at = MONTH.ends + timedelta(days=1, minutes=number)
        services = replace(build_subject_services(store, at=at), documents=XmlDocuments(OPERATOR))
        began = time.perf_counter()
        answer = ask(services, subjects[number % len(subjects)])
        taken.append((time.perf_counter() - began) * 1000)
        assert b"GetPersonData" in answer, "a page is empty"
    return round(quantiles(taken, n=20)[-1], 2)


def _find_usage(services: SubjectServices, subject: Pin) -> bytes:
    query = UsageQuery(request_id=uuid4(), user=subject, limit=PAGE)
    return FindUsage(services=services)(query, PORTAL_CALLER)


def _list_disclosures(services: SubjectServices, subject: Pin) -> bytes:
    request_id = uuid4()
    request = DisclosureListRequest(
        request_id=request_id,
        digest=b"1" * 32,
        id_token=a_token(subject, request_id),
        since=None,
        until=None,
        after=None,
        limit=PAGE,
    )
    return build_acts(PACKAGE, services)["ListDisclosures"](request, PORTAL_CALLER)
