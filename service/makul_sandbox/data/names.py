"""Names of the peoples of Kyrgyzstan, as Kyrgyz and Russian write them.

They are common names, combined at random. A real person with such a combination is not meant.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class GivenName:
    """A given name, from which a child's patronymic is made."""

    ky: str
    ru: str
    own_patronymic: tuple[str, str] | None = None
    """The Russian patronymics of a man and a woman, if the rule does not give them."""

    def ru_patronymic(self, *, female: bool) -> str:
        """Return the Russian patronymic: `Бакытович`, `Бакытовна`."""
        if self.own_patronymic is not None:
            return self.own_patronymic[1 if female else 0]
        stem, vowel = self.ru, "о"
        if self.ru[-1] in "аеиоуыэюяйь":
            stem, vowel = self.ru[:-1], "е"
        return f"{stem}{vowel}{'вна' if female else 'вич'}"

    def ky_patronymic(self, *, female: bool) -> str:
        """Return the Kyrgyz patronymic: `Бакыт кызы`, `Бакыт уулу`."""
        return f"{self.ky} {'кызы' if female else 'уулу'}"


@dataclass(frozen=True, slots=True)
class Family:
    """A surname in the form for a man. `declined` is true if the form for a woman has an ending."""

    ky: str
    ru: str
    declined: bool = True

    def ky_form(self, *, female: bool) -> str:
        """Return the surname as Kyrgyz writes it."""
        return self._form(self.ky, female)

    def ru_form(self, *, female: bool) -> str:
        """Return the surname as Russian writes it."""
        return self._form(self.ru, female)

    def _form(self, surname: str, female: bool) -> str:
        if not (female and self.declined):
            return surname
        return f"{surname[:-2]}ая" if surname.endswith("ий") else f"{surname}а"


@dataclass(frozen=True, slots=True, kw_only=True)
class People:
    """The surnames and given names of one people."""

    families: tuple[Family, ...]
    women: tuple[GivenName, ...]
    men: tuple[GivenName, ...]
    says_uulu: bool = True
    """True if patronymics in Kyrgyz documents have the Kyrgyz form."""


def _families(pairs: str, *, declined: bool = True) -> tuple[Family, ...]:
    """Return the surnames of `ky/ru` pairs. A pair is one word if both languages write it alike."""
    return tuple(Family(*_halves(pair), declined) for pair in pairs.split())


def _given_names(pairs: str) -> tuple[GivenName, ...]:
    return tuple(GivenName(*_halves(pair)) for pair in pairs.split())


def _halves(pair: str) -> tuple[str, str]:
    ky, _, ru = pair.partition("/")
    return ky, ru or ky


KYRGYZ = People(
    families=_families(
        "Асанов Үсөнов/Усенов Өмүралиев/Омуралиев Бакыев Токтогулов Жээнбеков Осмонов "
        "Сыдыков Мамытов Бөкөнбаев/Боконбаев Түгөлбаев/Тугельбаев Кадыров Абдраев Эсенаманов "
        "Чоңбашев/Чонбашев Маматов Ысаков/Исаков Турдубаев Шаршенов Алымкулов Бейшеналиев "
        "Көчкөнов/Кочконов Сатыбалдиев Жумабаев Дүйшеев/Дуйшеев Орозбаев"
    ),
    women=_given_names(
        "Айгүл/Айгуль Гүлнара/Гульнара Жылдыз Айнура Назгүл/Назгуль Бермет Чолпон Нургүл/Нургуль "
        "Мээрим Асель Каныкей Бегимай Айжан Үмүт/Умут Сезим Элиза"
    ),
    men=_given_names(
        "Бакыт Азамат Нурлан Эрмек Талант Үсөн/Усен Асан Тилек Мирлан Кубат Жоомарт Таалай "
        "Бекболот Улан Чыңгыз/Чингиз Эмил/Эмиль Айбек Данияр Өмүрбек/Омурбек Суйүн/Суюн"
    ),
)

RUSSIAN = People(
    families=_families(
        "Петров Соколов Кузнецов Лебедев Морозов Волков Зайцев Павлов Белов Вишневский"
    ),
    women=_given_names("Анна Елена Ольга Мария Наталья Светлана Ирина Татьяна"),
    men=(
        *_given_names("Александр Андрей Алексей Сергей Виктор Николай Роман Игорь"),
        GivenName("Илья", "Илья", ("Ильич", "Ильинична")),
        GivenName("Михаил", "Михаил", ("Михайлович", "Михайловна")),
        GivenName("Василий", "Василий", ("Васильевич", "Васильевна")),
    ),
    says_uulu=False,
)

UZBEK = People(
    families=_families("Каримов Юсупов Рахимов Мирзаев Абдуллаев Холматов Эргашев Тошматов"),
    women=_given_names("Дилноза Гулчехра Нигора Зухра Малика Феруза Шахноза"),
    men=_given_names("Рустам Шавкат Бахтиёр Икром Улугбек Жасур Отабек Фарход"),
    says_uulu=False,
)

DUNGAN = People(
    families=(
        *_families("Ма Ли Шиваза Хахаза Цунваза", declined=False),
        *_families("Юнусов Мансуров Дауров"),
    ),
    women=_given_names("Фатима Зейнаб Халида Румия Зарема"),
    men=_given_names("Исмар Хасан Якуб Арсмаил Рашид"),
    says_uulu=False,
)

PEOPLES = (KYRGYZ, KYRGYZ, KYRGYZ, KYRGYZ, KYRGYZ, RUSSIAN, UZBEK, DUNGAN)
"""The peoples to choose from. Kyrgyz appears five times, for roughly realistic proportions."""

_LATIN = dict(zip("абвгдеёзийклмнопрстуфыэ", "abvgdeeziiklmnoprstufye", strict=True))
_LATIN |= {"ж": "zh", "х": "kh", "ц": "ts", "ч": "ch", "ш": "sh", "щ": "shch"}
_LATIN |= {"ъ": "ie", "ь": "", "ю": "iu", "я": "ia"}


def to_latin(russian: str) -> str:
    """Return the Latin form in travel documents, after ICAO Doc 9303-3, 6 B (Cyrillic)."""
    return "".join(_LATIN.get(letter, letter) for letter in russian.lower()).title()
