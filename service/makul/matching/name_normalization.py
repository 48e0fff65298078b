"""Convert a name in Cyrillic or Latin letters to its sounds, by several common spelling habits.

One spelling can represent several names. `Julia` is Юлия to a German and Жулия to a Kyrgyz reader;
`Xasan` is Хасан to an Uzbek and Ксасан to an English reader. So a name is read by each of a few
fixed habits (`HABITS`), and two names are compared habit by habit. A habit defines the sounds of
the letters that languages read differently. All other letters have one sound.

The sounds omit what nobody can hear: soft and hard signs, apostrophes, case, doubled letters, marks
that no habit reads, and invisible characters. Hyphens, spaces and other separators divide a name
into parts. A name with a letter of another script has no sounds and equals no name. The reasons are
in docs/decisions/0028-names-are-read-by-habits.md.
"""

import re
import unicodedata
from dataclasses import dataclass
from itertools import compress
from operator import ne
from typing import NamedTuple

from makul.matching.scripts import MixedScriptsError, unify_scripts


@dataclass(frozen=True, slots=True)
class Habit:
    """A reading of the letters that languages and authorities read differently.

    Each field is the sound of the letters that its docstring names. Sounds are written as in
    `Sounds`.
    """

    x: str
    """Latin x: `ks` in English and Russian passports; `H` in Uzbek, Azerbaijani and GOST 7.79."""
    j: str
    """Latin j: `J` as in Жумабек, or `i` as in German, Polish, Czech and ISO 9."""
    c: str
    """Latin c as a single letter: `k`, `J` (Turkish), or `T` (Slavic, ISO 9)."""
    ch: str = "C"
    """Latin ch: `C`, `H` (German Achmed) or `S` (French Chevtchenko)."""
    sh: str = "S"
    """Latin sh: `S`, or two sounds if х is written h (Ashat for Асхат)."""
    cz: str = "C"
    """Latin cz: `C` (Polish), or `T` (GOST 7.79)."""
    sz: str = "sz"
    """Latin sz: two sounds, or `S` (Polish)."""
    ou: str = "ou"
    """Latin ou: two sounds, or `u` (French)."""
    gu: str = "gu"
    """Latin gu before e, i or y: two sounds, or `g` (French Serguei)."""
    a: str = "a"
    """ä, ə, ә: `a`, `e` or `ae`."""
    o: str = "o"
    """ö, ө: `o`, `e` (Үсөн as Усен) or `oe`."""
    u: str = "u"
    """ü, ү: `u` or `ue`."""
    ou_uzbek: str = "o"
    """Uzbek oʻ, ў and Tajik ӯ: `o`, or `u` as Russian writes them."""
    yo: str = "e"
    """ё, yo: `e`, because ё is often written е; or `io` (Artiom)."""
    soft: str = "i"
    """The first sound of я, ю, ye and yo after a consonant: `i`, or nothing (Жамиля, Жамила)."""
    sign: str = ""
    """The sound of ь and ъ before е and ё: `i` (Solovyev, Soloviev), or nothing (ICAO: Solovev)."""
    circumflex: str = ""
    """The first sound of â and û: `i` in ISO 9, where they are я and ю, or nothing."""
    bare: bool = False
    """True if ş, č, ž and ț are read as s, c, z and t, because a passport's machine-readable zone
    has no marks."""


HABITS = (
    Habit(x="ks", j="J", c="k", sign="i"),
    Habit(x="H", j="J", c="J", cz="T", a="e", o="e", ou_uzbek="u", soft=""),
    Habit(
        x="ks",
        j="i",
        c="T",
        ch="H",
        sh="sH",
        sz="S",
        a="ae",
        o="oe",
        u="ue",
        yo="io",
        sign="i",
        circumflex="i",
    ),
    Habit(x="ks", j="J", c="k", ch="S", ou="u", gu="g", a="e", yo="io", bare=True),
    Habit(x="H", j="i", c="T", cz="T", ou_uzbek="u"),
)
"""The habits, in this order:

1. English and Russian passports (ICAO Doc 9303-3, 6; BGN/PCGN)
2. Uzbek, Azerbaijani and Turkish Latin
3. German and Slavic Latin, ISO 9
4. French, and machine-readable zones
5. GOST 7.79

Every name is read by all of them, so that the work does not depend on the name."""


class Sounds(NamedTuple):
    """A name as one habit reads it, in the letters a to z and the capitals C, H, J, S and T."""

    whole: str
    """All parts joined, because one name is written in one word or two (Мамат уулу, Маматуулу)."""
    parts: list[str]
    """The parts in alphabetical order, so that a double surname is the same in either order."""
    without_final_a: str
    """The parts in their written order, without the final а that distinguishes a woman's name from
    a man's."""


def _table(pairs: str) -> dict[str, str]:
    """Return the mapping that `from=to` pairs define; no text after `=` is the empty string."""
    return dict(pair.split("=") for pair in pairs.split())


# Capitals are the sounds without a Latin letter: C ч, H х, J ж, S ш, T ц. Digits and other capitals
# are letters that each habit reads later. Ш and щ are one sound, because their transliterations
# overlap (shch, sch, sh). `'` marks a soft or hard sign until the vowel after it is known.
_LETTERS = str.maketrans(
    _table("""
    а=a б=b в=v г=g д=d е=e ё=yo ж=J з=z и=i й=y к=k л=l м=m н=n о=o п=p р=r с=s т=t у=u ф=f
    х=H ц=T ч=C ш=S щ=S ъ=' ы=i ь=' э=e ю=yu я=ya ө=2 ү=3 ң=n
    ә=1 ғ=g қ=k ұ=u һ=H і=i ҳ=H ҷ=J җ=J ӣ=i ӯ=4 ў=4 є=e ї=i ґ=g ѕ=s ј=y ѳ=2 ҥ=n ӊ=n ӈ=n
    ş=5 ș=5 š=5 ç=6 č=6 ć=6 ž=7 ț=8 ţ=8 ə=1 ä=1 ö=2 ü=3 ı=i ß=ss æ=1 œ=2 ø=o ł=l đ=d ð=d þ=t ŋ=n
    ŝ=S â=Aa û=Au
""")
)
_GRAPHEMES = _table("""
    schtsch=S shtch=S shch=S tsch=C dsch=J shh=S sch=S tch=C dzh=J d7=J 56=S
    dj=J dJ=J zh=J kh=H gh=g ph=f ck=k ts=T tz=T tc=T tT=T ng=n ngg=n
    g'=g o'=4 sh=9 ch=0 cz=Q sz=Z ou=O gue=Ge gui=Gi guy=Gy yo=E yo'=y4
    chtch=S ngue=nUe ngui=nUi nguy=nUy
""")
_GRAPHEME = re.compile("|".join(sorted(_GRAPHEMES, key=len, reverse=True)))

# The characters that are typed for an apostrophe become one. Digits become spaces, because below a
# digit means a letter that each habit reads later.
_TYPED = str.maketrans(
    dict.fromkeys('ʻʼ‘’‛`´ʹʺ′″＇ˈ"“”ʾʿʽˊˋꞌ‵′', "'") | dict.fromkeys("0123456789", " ")
)
_INVISIBLE = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e"
    "\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\U000e0000-\U000e0fff]"
)
_MARK = re.compile(
    "[\u0300-\u036f\u0483-\u0489\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f]"
)
_FOREIGN_LETTER = re.compile(r"[^\W\d_a-zA-Z]")
_SEPARATORS = re.compile(r"[^a-zACHJST0-9']+")

_CONSONANT = "[b-df-hj-np-tv-xzCHJSTQZG5-90]"
_SIGN_BEFORE_VOWEL = re.compile("'(?=[eiE])")
_SOFT_VOWEL = re.compile(f"(?<={_CONSONANT})y(?=[aueE])")
_JE = re.compile(f"(?<!{_CONSONANT})je")
_YE = re.compile(f"(?<!{_CONSONANT})ye")
_FINAL_A = re.compile(r"a(?![a-zCHJST])")


def _readings(habit: Habit) -> dict[int, str]:
    return str.maketrans(
        _table(f"""
        1={habit.a} 2={habit.o} 3={habit.u} 4={habit.ou_uzbek} 9={habit.sh} 0={habit.ch}
        5={"s" if habit.bare else "S"} 6={habit.c if habit.bare else "C"}
        7={"z" if habit.bare else "J"} 8={"t" if habit.bare else "T"}
        A={habit.circumflex} D={habit.j.removeprefix("i")} E={habit.yo} G={habit.gu}
        O={habit.ou} Q={habit.cz} U={habit.gu[1:]} W={habit.sign} Y={habit.soft} Z={habit.sz}
        c={habit.c} h=H j={habit.j} q=k w=v x={habit.x} y=i
    """)
    )


# The separator of the readings, which are processed in one string. It has two different characters,
# because `_collapse` merges equal ones.
_BETWEEN = "|."

_READINGS = tuple(map(_readings, HABITS))


def fold(name: str) -> list[Sounds]:
    """Return the sounds of a name, one reading for each habit.

    The sounds are empty if the name has none, or if a letter is of a script that is not known here.
    The caller must ensure that such a name equals no other name.
    """
    graphemes = _graphemes(name)
    read = _collapse(_BETWEEN.join([graphemes.translate(reading) for reading in _READINGS]))
    wholes = _collapse(read.replace(" ", "")).split(_BETWEEN)
    stems = _FINAL_A.sub("", read).split(_BETWEEN)
    return [
        Sounds(whole, sorted(parts.split()), stem)
        for whole, parts, stem in zip(wholes, read.split(_BETWEEN), stems, strict=True)
    ]


def _collapse(sounds: str) -> str:
    """Replace each run of one sound by one. This is five times as fast as a regular expression."""
    return "".join(compress(sounds, map(ne, sounds, f"{sounds[1:]}#")))


def _graphemes(name: str) -> str:
    """Return a name as sounds, spaces and the letters that each habit reads later.

    The result is empty if the name cannot be read.
    """
    typed = unicodedata.normalize("NFKC", _INVISIBLE.sub("", name).translate(_TYPED))
    try:
        text = unify_scripts(typed.translate(_TYPED)).casefold()
    except MixedScriptsError:
        return ""
    # Letters are read first with their marks, which can distinguish sounds (й, ё, ş), then without.
    spelled = unicodedata.normalize("NFD", unicodedata.normalize("NFC", text).translate(_LETTERS))
    bare = _MARK.sub("", spelled).translate(_LETTERS)
    if _FOREIGN_LETTER.search(bare):
        return ""
    heard = _GRAPHEME.sub(lambda found: _GRAPHEMES[found[0]], _SEPARATORS.sub(" ", bare))
    voiced = _SIGN_BEFORE_VOWEL.sub("W", heard).replace("'", "")
    return _SOFT_VOWEL.sub("Y", _JE.sub("De", _YE.sub("e", voiced))).strip()
