"""Pairs of names with a known answer, made by rules from tests/vectors/names/names.csv.

A pair compares one spelling with one other, of the same field:

    genuine   one name in two spellings: systems of transliteration, neighbours' alphabets, marks,
              case, apostrophes, the other order of a double surname
    impostor  two near names: of brother and sister, of twins (names of the list that differ
              little), and names that differ by one audible letter
    half      a double surname and half of it

Every run makes the same pairs. A name and all that derives from it (Асан, Асанов, Асановна) belong
to one half, `tuning` or `report`, by the digest of its root; pairs across halves are omitted. There
are no real people here: given names and surnames are common ones, and each stands alone.
"""

import csv
import hashlib
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, cached_property
from itertools import groupby
from typing import Literal

from rapidfuzz import process
from rapidfuzz.distance import JaroWinkler, Levenshtein

from makul_testing.names import transliterations as letters
from makul_testing.paths import VECTORS

NAMES = VECTORS / "names" / "names.csv"

Half = Literal["tuning", "report"]
Verdict = Literal["genuine", "impostor", "half"]

_LATIN = frozenset({"tr", "az", "de", "ro", "pl", "cs"})
"""Languages whose names are in Latin letters and are not transliterated; Uzbek is separate."""

_PER_NAME = 2
"""The number of spellings of a name: longer lists would weigh some names more than others."""


@dataclass(frozen=True)
class Name:
    """A name of one field, in its own letters and in Russian ones."""

    root: str
    language: str
    field: str
    sex: str
    own: str
    also: tuple[str, ...] = ()

    @cached_property
    def half(self) -> Half:
        """The half to which the name's root belongs."""
        return "report" if _digest(f"half of {self.root}") % 2 else "tuning"

    @cached_property
    def russian(self) -> str:
        """The name in Cyrillic letters, from which transliterations start."""
        return _cyrillic(self)


@dataclass(frozen=True, slots=True)
class Pair:
    """Two spellings, and whether they are one name."""

    verdict: Verdict
    kind: str
    half: Half
    left: str
    right: str


def _digest(text: str) -> int:
    return int.from_bytes(hashlib.sha256(text.lower().encode()).digest()[:8], "big")


# --- names ------------------------------------------------------------------------------------


@cache
def read_names() -> tuple[Name, ...]:
    """Return the names of the list and the surnames and patronymics that derive from them."""
    with NAMES.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    names: list[Name] = []
    for row in rows:
        also = tuple(row["also"].split())
        name = Name(row["name"], row["language"], row["field"], row["sex"], row["name"], also)
        names.append(name)
        names.extend(_derived(name))
    return tuple({(name.field, name.own): name for name in names}.values())


def _derived(name: Name) -> Iterator[Name]:
    """Names of children; a name of Turkish or European letters has none here."""
    base = name.own
    if name.field == "surname" and name.language == "ru":
        for masculine, feminine in (("ский", "ская"), ("ой", "ая"), ("ов", "ова"), ("ев", "ева")):
            if base.endswith(masculine):
                yield _child(name, "surname", "f", base.removesuffix(masculine) + feminine)
                return
        if base.endswith(("ёв", "ин")):
            yield _child(name, "surname", "f", base + "а")
    elif name.sex == "m" and name.language in {"ky", "kk", "tg", "uz"}:
        base = letters.write_uzbek_cyrillic(base) if name.language == "uz" else base
        stem, soft = (base[:-1], True) if base[-1] in "йь" else (base, base[-1] in "еиӣ")
        ending = "ев" if soft else "ов"
        yield _child(name, "surname", "m", stem + ending)
        yield _child(name, "surname", "f", stem + ending + "а")
        yield _child(name, "patronymic", "m", stem + ending + "ич")
        yield _child(name, "patronymic", "f", stem + ending + "на")
        if name.language == "ky":
            yield _child(name, "surname", "m", base + " уулу")
            yield _child(name, "surname", "f", base + " кызы")
    elif name.language == "ru" and name.sex == "m" and base[-1] not in "аьяй":
        yield _child(name, "patronymic", "m", base + "ович")
        yield _child(name, "patronymic", "f", base + "овна")


def _child(parent: Name, field: str, sex: str, own: str) -> Name:
    language = "uz-cyrillic" if parent.language == "uz" else parent.language
    return Name(parent.root, language, field, sex, own)


def _cyrillic(name: Name) -> str:
    if name.language == "uz":
        return letters.write_in_russian(letters.write_uzbek_cyrillic(name.own))
    if name.language in {"tr", "az"} and not name.also:
        return letters.write_turkic_cyrillic(name.own)
    if name.language in {"tr", "de", "ro", "pl", "cs"}:
        return name.also[0]
    return letters.write_in_russian(name.own)


# --- genuine ----------------------------------------------------------------------------------


def genuine_pairs() -> Iterator[Pair]:
    """Return each name with other spellings of it."""
    names = read_names()
    for name in names:
        kinds = {spelling: kind for kind, spelling in _spellings(name) if spelling != name.own}
        for spelling in sorted(kinds, key=_digest)[:_PER_NAME]:
            yield Pair("genuine", kinds[spelling], name.half, name.own, spelling)
    for one, other in _doubles():
        double = f"{one.own}-{other.own}"
        yield Pair("genuine", "space for hyphen", one.half, double, f"{one.own} {other.own}")
        yield Pair("genuine", "other order", one.half, double, f"{other.own} {one.own}")
        latin = letters.transliterate(f"{other.russian}-{one.russian}", "ICAO 9303")
        yield Pair("genuine", "other order, in Latin", one.half, double, latin.upper())


def _spellings(name: Name) -> Iterator[tuple[str, str]]:
    for also in name.also:
        yield "common usage", also
    if name.language not in _LATIN:
        source = name.russian if name.language == "uz" else name.own
        for system in letters.SYSTEMS:
            yield system, letters.transliterate(source, system)
        yield "Russian letters", name.russian
    yield from _own_spellings(name)
    yield "capitals", name.own.upper()
    yield "decomposed", unicodedata.normalize("NFD", name.own)
    if "ё" in name.own.lower():
        yield "е for ё", name.own.replace("ё", "е").replace("Ё", "Е")
    yield "invisible", name.own[:2] + "\u200b" + name.own[2:] + "\u00a0"


def _own_spellings(name: Name) -> Iterator[tuple[str, str]]:
    """Spellings that only names of one language have."""
    own = name.own
    if name.language == "uz":
        yield "Uzbek Cyrillic", letters.write_uzbek_cyrillic(own)
        for apostrophe in "'`’‘":
            yield "apostrophe", own.replace("ʻ", apostrophe).replace("ʼ", apostrophe)
        yield "no apostrophe", own.replace("ʻ", "").replace("ʼ", "")
    elif name.language == "uz-cyrillic":
        latin = letters.write_uzbek_latin(own)
        yield "Uzbek Latin", latin
        yield "Uzbek Latin", latin.replace("ʻ", "'").upper()
    elif name.language in _LATIN:
        yield "Russian letters", name.russian
        if name.language != "de":
            yield "without marks", letters.write_without_marks(own)
        if name.language == "de":
            yield "umlauts apart", letters.write_umlauts_apart(own)
        if name.language == "ro":
            yield "cedilla", own.translate(str.maketrans("șȘțȚ", "şŞţŢ"))


def _doubles() -> Iterator[tuple[Name, Name]]:
    """Double surnames: each of a Russian list with the next of its half and sex."""
    for half in ("tuning", "report"):
        for sex in "mf":
            found = [
                name
                for name in read_names()
                if (name.field, name.language, name.sex, name.half) == ("surname", "ru", sex, half)
            ]
            yield from zip(found[::2], found[1::2], strict=False)


# --- half of a double -------------------------------------------------------------------------


def half_pairs() -> Iterator[Pair]:
    """Return each double surname with one of its halves, in its letters and in Latin."""
    for one, other in _doubles():
        yield Pair("half", "first", one.half, f"{one.own}-{other.own}", one.own)
        yield Pair("half", "second", one.half, f"{one.own}-{other.own}", other.own)
        latin = letters.transliterate(one.russian, "ICAO 9303")
        yield Pair("half", "first, in Latin", one.half, f"{one.own} {other.own}", latin)


# --- impostor ---------------------------------------------------------------------------------


def impostor_pairs() -> Iterator[Pair]:
    """Return names of two persons that are near."""
    names = read_names()
    for _, group in groupby(sorted(names, key=_group), key=_group):
        for one, other in _near(list(group)):
            if one.root == other.root:
                if one.sex != other.sex:
                    yield from _in_either_script("brother and sister", one, other)
            elif not _is_one_name(one, other):
                yield from _in_either_script("near names", one, other)
    for name in names:
        for changed in sorted(_changed(name), key=_digest)[:1]:
            yield Pair("impostor", "one letter", name.half, name.own, changed)
    for one, other in _doubles():
        double = f"{one.own}-{other.own}"
        if one.sex == "m" and one.own.endswith("в") and other.own.endswith("в"):
            yield Pair(
                "impostor", "brother and sister", one.half, double, f"{one.own}а-{other.own}а"
            )
            yield Pair(
                "impostor", "brother and sister", one.half, double, f"{one.own}а {other.own}"
            )


def _group(name: Name) -> tuple[str, str]:
    return name.field, name.half


def _near(names: list[Name]) -> Iterator[tuple[Name, Name]]:
    """Return pairs of names that differ by a letter or have most of their letters in common."""
    written = [name.russian for name in names]
    for at, name in enumerate(names):
        rest = written[at + 1 :]
        near = process.extract(
            name.russian, rest, scorer=Levenshtein.distance, score_cutoff=1, limit=None
        ) + process.extract(
            name.russian, rest, scorer=JaroWinkler.similarity, score_cutoff=0.92, limit=None
        )
        for found in sorted({index for _, _, index in near}):
            yield name, names[at + 1 + found]


def _in_either_script(kind: str, one: Name, other: Name) -> Iterator[Pair]:
    """One pair: half of them in their own letters, half across scripts by some system."""
    chosen = _digest(one.own + other.own)
    right = other.own
    if chosen % 2:
        right = letters.transliterate(other.russian, letters.SYSTEMS[chosen % len(letters.SYSTEMS)])
    yield Pair("impostor", kind, one.half, one.own, right)


def _is_one_name(one: Name, other: Name) -> bool:
    """Return whether two entries, or their roots, are one name in two languages or spellings."""
    keys = _keys_of_roots()
    return bool(keys[one.root] & keys[other.root]) or _bare(one.russian) == _bare(other.russian)


@cache
def _keys_of_roots() -> dict[str, frozenset[str]]:
    return {
        name.root: frozenset(map(_bare, (name.russian, *name.also)))
        for name in read_names()
        if name.own == name.root
    }


# Spellings that the languages themselves take for one (not the service's folding).
_SAME = str.maketrans("ёэъьйы", "ее  ии")


def _bare(form: str) -> str:
    plain = form.lower().translate(_SAME).replace(" ", "").replace("дж", "ж").replace("ии", "и")
    return "".join(one for one, after in zip(plain, plain[1:] + ".", strict=True) if one != after)


# For each letter one that nobody writes for it, in any alphabet or system.
_OTHER_LETTER = dict(zip("бвгдзклмнпрстфаеоу", "мшлнрбтсдвкпмруоие", strict=True))
_VOWELS = frozenset("аеоуөүыиэәіұӯ")
_CONSONANTS = frozenset("бвгджзклмнпрстф")


def _changed(name: Name) -> Iterator[str]:
    """The name with one letter changed, one dropped and one added, inside and audible."""
    own = name.russian if name.own.isascii() or name.language in _LATIN else name.own
    spots = [at for at in range(1, len(own) - 1) if _is_audible(own, at)]
    if len(own) < 4 or not spots:
        return
    at = spots[_digest(own) % len(spots)]
    if own[at] in _OTHER_LETTER:
        yield own[:at] + _OTHER_LETTER[own[at]] + own[at + 1 :]
    if own[at] in _CONSONANTS and own[at - 1].lower() != own[at + 1]:
        yield own[:at] + own[at + 1 :]
    at = spots[_digest(own + "+") % len(spots)]
    if own[at] in _VOWELS and "р" not in own[at - 1 : at + 2].lower():
        yield own[: at + 1] + "р" + own[at + 1 :]


def _is_audible(own: str, at: int) -> bool:
    """A vowel between consonants, or a consonant between vowels: it melts into no neighbour."""
    around = {own[at - 1].lower(), own[at + 1]}
    if own[at] in _VOWELS:
        return around <= _CONSONANTS
    return own[at] in _CONSONANTS and around <= _VOWELS


@cache
def name_pairs() -> tuple[Pair, ...]:
    """Return every pair, each once."""
    return tuple(dict.fromkeys([*genuine_pairs(), *impostor_pairs(), *half_pairs()]))
