"""One spelling for a name however it was written: Kyrgyz, Russian or Latin letters.

A name is transliterated in the manner of ICAO Doc 9303-3, 6 (Cyrillic to Latin), and the Kyrgyz
letters as they are commonly written without their marks (ө as o, ү as u, ң as n). What different
habits of transliteration write differently (zh, j, dj; kh, h; y, i; yo, e) is then made the same,
one symbol a sound, so that a comparison counts sounds and not letters. What cannot be heard (soft
and hard signs, apostrophes, hyphens, spaces, case, doubled letters) is left out.
"""

import re
import unicodedata


def _table(pairs: str) -> dict[str, str]:
    """`from=to` pairs; what nothing is written for is left out."""
    return dict(pair.split("=") for pair in pairs.split())


# The last two lines are neighbours' letters, met in names: Kazakh, Uzbek, Tajik, Tatar, Ukrainian.
_CYRILLIC = _table("""
    а=a б=b в=v г=g д=d е=e ё=yo ж=zh з=z и=i й=y к=k л=l м=m н=n о=o п=p р=r с=s т=t у=u ф=f
    х=kh ц=ts ч=ch ш=sh щ=shch ъ= ы=y ь= э=e ю=yu я=ya ө=o ү=u ң=n
    ә=a ғ=g қ=k ұ=u һ=h і=i ҳ=h ҷ=j җ=j
    ӣ=i ӯ=u ў=u є=e ї=i ґ=g
""")

# Letters whose sound their bare base letter would lose, and letters without a base.
_LATIN = _table("""
    ş=sh š=sh ç=ch č=ch ž=zh ß=ss æ=ae œ=oe ø=o ł=l đ=d ð=d þ=th ı=i ŋ=n ə=a
""")

_LETTERS = str.maketrans(_CYRILLIC | _LATIN)

# One symbol a sound; capitals are sounds without a letter of their own. Ш and щ are one, for their
# transliterations run into one another (shch, sch, sh).
_SOUNDS = _table("""
    shch=S sch=S sh=S tch=C ch=C ts=T dzh=J dj=J zh=J j=J
    kh=h ph=f ck=k x=ks q=k c=k w=v ng=n yo=e ye=e y=i
""")
_SOUND = re.compile("|".join(sorted(_SOUNDS, key=len, reverse=True)))

_NOT_LETTERS = re.compile(r"[^a-z]+")
_DOUBLED = re.compile(r"(.)\1+")


def fold(name: str) -> str:
    """The name's sounds, as letters a to z and the capitals C, J, S and T.

    Empty where nothing of it is a letter that is known here; an empty folding equals no name, not
    even another empty one, and it is for the caller to see to that.
    """
    latin = unicodedata.normalize("NFC", name).casefold().translate(_LETTERS)
    bare = _NOT_LETTERS.sub("", unicodedata.normalize("NFKD", latin))
    return _DOUBLED.sub(r"\1", _SOUND.sub(lambda found: _SOUNDS[found[0]], bare))
