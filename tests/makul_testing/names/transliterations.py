"""Systems by which names are written in other letters, as separate tables.

They are written from the systems' publications and from common usage, not from the folding that is
measured with them: `makul.matching` must read what they write differently.
"""

from collections.abc import Mapping


def _table(pairs: str) -> dict[str, str]:
    return dict(pair.split("=") for pair in pairs.split())


_COMMON = _table("""
    а=a б=b в=v г=g д=d е=e ё=e ж=zh з=z и=i й=i к=k л=l м=m н=n о=o п=p р=r с=s т=t у=u ф=f х=kh
    ц=ts ч=ch ш=sh щ=shch ъ= ы=y ь= э=e ю=iu я=ia
    ө=o ү=u ң=ng ә=a ғ=g қ=k ұ=u һ=h і=i ў=u ҳ=kh ҷ=dzh ӣ=i ӯ=u
""")
_BY_SYSTEM: Mapping[str, Mapping[str, str]] = {
    "ICAO 9303": _COMMON | _table("ъ=ie ң=n"),
    "MID 1997": _COMMON | _table("й=y ю=yu я=ya кс=x ье=ye ьё=ye"),
    "GOST R 52535.1": _COMMON | _table("ц=tc"),
    "BGN/PCGN": _COMMON
    | _table("ё=yo й=y ю=yu я=ya ь=’ ъ=” ө=ö ү=ü ң=ng ж=zh ә=ä ғ=gh қ=q ұ=ū һ=h ў=ŭ ҳ=h ҷ=j"),
    "ISO 9": _COMMON
    | _table("ё=ë ж=ž й=j х=h ц=c ч=č ш=š щ=ŝ ъ=ʺ ь=ʹ э=è ю=û я=â ө=ô ү=ù ң=ņ ҷ=ç ҳ=h ў=ŭ"),
    "scholarly": _COMMON
    | _table("ё=jo ж=ž й=j х=ch ц=c ч=č ш=š щ=šč ъ= ь=' э=e ю=ju я=ja ө=ö ү=ü ң=ŋ ҷ=dž"),
    "GOST 7.79 B": _COMMON | _table("ё=yo й=j х=x ц=cz щ=shh ъ=`` ы=y` ь=` э=e` ю=yu я=ya"),
    "German": _COMMON
    | _table("ж=sch й=j х=ch ц=z ч=tsch ш=sch щ=schtsch ю=ju я=ja в=w ө=ö ү=ü ң=ng ё=jo"),
    "German without marks": _COMMON
    | _table("ж=zh й=i х=ch ц=ts ч=tsch ш=sch щ=schtsch ю=ju я=ja в=w ө=oe ү=ue ң=ng"),
    "French": _COMMON
    | _table("ё=io ж=j й=i у=ou ү=ou х=kh ч=tch ш=ch щ=chtch ю=iou я=ia ге=gue ги=gui ң=n"),
    "Kyrgyz everyday": _COMMON | _table("ж=j й=i х=h ю=yu я=ya ң=n дж=j"),
    "Kyrgyz with marks": _COMMON | _table("ж=j й=y х=h ю=yu я=ya ө=ö ү=ü ң=ñ ы=y ш=ş ч=ç ә=ä"),
    "dzh": _COMMON | _table("ж=dzh й=y ю=yu я=ya дж=dzh"),
    "dj": _COMMON | _table("ж=dj й=y ю=yu я=ya дж=dj ы=i"),
}
SYSTEMS = tuple(_BY_SYSTEM)

_VOWELS = frozenset("аеёиоуыэюяөүәұіўӯӣ")
_YE = frozenset({"MID 1997", "BGN/PCGN"})
"""Systems that write е at the beginning and after vowels as ye."""

_RUSSIAN = _table("ө=о ү=у ң=н ә=а ғ=г қ=к ұ=у һ=х і=и ў=у ҳ=х ҷ=дж ӣ=и ӯ=у")
_UZBEK_LATIN = _table("""
    а=a б=b в=v г=g д=d е=e ё=yo ж=j з=z и=i й=y к=k л=l м=m н=n о=o п=p р=r с=s т=t у=u ф=f х=x
    ц=ts ч=ch ш=sh ъ=ʼ э=e ю=yu я=ya ў=oʻ қ=q ғ=gʻ ҳ=h
""")
_UZBEK_CYRILLIC = {
    **_table("oʻ=ў gʻ=ғ sh=ш ch=ч yo=ё yu=ю ya=я ye=е ʼ=ъ ng=нг"),
    **_table("""
    a=а b=б d=д e=е f=ф g=г h=ҳ i=и j=ж k=к l=л m=м n=н o=о p=п q=қ r=р s=с t=т u=у v=в x=х y=й z=з
"""),
}
_TURKISH_CYRILLIC = _table("""
    a=а b=б c=дж ç=ч d=д e=е f=ф g=г ğ=г h=х ı=ы i=и j=ж k=к l=л m=м n=н o=о ö=о p=п r=р s=с ş=ш t=т
    u=у ü=у v=в y=й z=з ə=а q=г x=х ya=я yu=ю ye=е yı=йы
""")


def transliterate(name: str, system: str) -> str:
    """Return a Cyrillic name in Latin letters by one of `SYSTEMS`."""
    table = _BY_SYSTEM[system]
    if system in _YE:
        name = _with_ye(name)
    return _replace(name, table | {"Е": "Ye"} if system in _YE else table)


def write_in_russian(name: str) -> str:
    """Return a name of a neighbour's Cyrillic in Russian letters, the marked ones bare."""
    return _replace(name, _RUSSIAN)


def write_uzbek_cyrillic(name: str) -> str:
    """Return an Uzbek Latin name in Uzbek Cyrillic."""
    written = _replace(name, _UZBEK_CYRILLIC)
    return "Э" + written[1:] if written.startswith("Е") and not name.startswith("Y") else written


def write_uzbek_latin(name: str) -> str:
    """Return an Uzbek Cyrillic name in Uzbek Latin."""
    return _replace(_with_ye(name, "ye"), _UZBEK_LATIN)


def write_turkic_cyrillic(name: str) -> str:
    """Return a Turkish or Azerbaijani name in Russian letters, by practical transcription."""
    return _replace(name.replace("I", "ı").replace("İ", "i"), _TURKISH_CYRILLIC).capitalize()


def write_without_marks(name: str) -> str:
    """Return a Turkish or Romanian name as in the machine-readable zone of a passport."""
    marks = _table(
        "ş=s Ş=S ș=s Ș=S ț=t Ț=T ç=c Ç=C ğ=g ı=i İ=I ö=o Ö=O ü=u Ü=U ă=a â=a î=i ə=e Ə=E"
    )
    return "".join(marks.get(char, char) for char in name)


def write_umlauts_apart(name: str) -> str:
    """Return a German name with ae, oe, ue and ss."""
    return _replace(name, _table("ä=ae ö=oe ü=ue ß=ss"))


def _with_ye(name: str, ye: str = "ye") -> str:
    written = ""
    for before, char in zip(" " + name, name, strict=False):
        after_vowel = before.lower() in _VOWELS or before in " -ьъ"
        written += ye if char == "е" and after_vowel else char
    return "Ye" + written[1:] if written.startswith("Е") else written


def _replace(name: str, table: Mapping[str, str]) -> str:
    """Replace the longest entries first; a capital stays a capital."""
    written, at = "", 0
    while at < len(name):
        for length in (2, 1):
            piece = name[at : at + length]
            if piece in table or piece.lower() in table:
                out = table.get(piece, table.get(piece.lower(), ""))
                written += out.capitalize() if piece[0].isupper() else out
                break
        else:
            written, length = written + name[at], 1
        at += length
    return written
