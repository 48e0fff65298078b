"""Names of the peoples of Kyrgyzstan, as Kyrgyz and Russian write them.

Common names only, joined at random; whoever bears such a combination is not meant.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Given:
    """A given name, from which a child's patronymic is made."""

    ky: str
    ru: str
    own_patronymic: tuple[str, str] | None = None
    """The man's and the woman's in Russian, where the rule does not give them."""

    def ru_patronymic(self, *, female: bool) -> str:
        """`Бакытович`, `Бакытовна`."""
        if self.own_patronymic is not None:
            return self.own_patronymic[1 if female else 0]
        stem, vowel = self.ru, "о"
        if self.ru[-1] in "аеиоуыэюяйь":
            stem, vowel = self.ru[:-1], "е"
        return f"{stem}{vowel}{'вна' if female else 'вич'}"

    def ky_patronymic(self, *, female: bool) -> str:
        """`Бакыт кызы`, `Бакыт уулу`."""
        return f"{self.ky} {'кызы' if female else 'уулу'}"


@dataclass(frozen=True, slots=True)
class Family:
    """A surname in the man's form; `declined` where a woman's takes an ending."""

    ky: str
    ru: str
    declined: bool = True

    def ky_form(self, *, female: bool) -> str:
        """The surname as Kyrgyz writes it."""
        return self._form(self.ky, female)

    def ru_form(self, *, female: bool) -> str:
        """The surname as Russian writes it."""
        return self._form(self.ru, female)

    def _form(self, surname: str, female: bool) -> str:
        if not (female and self.declined):
            return surname
        return f"{surname[:-2]}ая" if surname.endswith("ий") else f"{surname}а"


@dataclass(frozen=True, slots=True, kw_only=True)
class People:
    """Names that go together."""

    families: tuple[Family, ...]
    women: tuple[Given, ...]
    men: tuple[Given, ...]
    says_uulu: bool = True
    """Are patronymics in Kyrgyz documents formed the Kyrgyz way?"""


def _families(pairs: str, *, declined: bool = True) -> tuple[Family, ...]:
    """`ky/ru` pairs; one word where both are written alike."""
    return tuple(Family(*_halves(pair), declined) for pair in pairs.split())


def _given(pairs: str) -> tuple[Given, ...]:
    return tuple(Given(*_halves(pair)) for pair in pairs.split())


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
    women=_given(
        "Айгүл/Айгуль Гүлнара/Гульнара Жылдыз Айнура Назгүл/Назгуль Бермет Чолпон Нургүл/Нургуль "
        "Мээрим Асель Каныкей Бегимай Айжан Үмүт/Умут Сезим Элиза"
    ),
    men=_given(
        "Бакыт Азамат Нурлан Эрмек Талант Үсөн/Усен Асан Тилек Мирлан Кубат Жоомарт Таалай "
        "Бекболот Улан Чыңгыз/Чингиз Эмил/Эмиль Айбек Данияр Өмүрбек/Омурбек Суйүн/Суюн"
    ),
)

RUSSIAN = People(
    families=_families(
        "Петров Соколов Кузнецов Лебедев Морозов Волков Зайцев Павлов Белов Вишневский"
    ),
    women=_given("Анна Елена Ольга Мария Наталья Светлана Ирина Татьяна"),
    men=(
        *_given("Александр Андрей Алексей Сергей Виктор Николай Роман Игорь"),
        Given("Илья", "Илья", ("Ильич", "Ильинична")),
        Given("Михаил", "Михаил", ("Михайлович", "Михайловна")),
        Given("Василий", "Василий", ("Васильевич", "Васильевна")),
    ),
    says_uulu=False,
)

UZBEK = People(
    families=_families("Каримов Юсупов Рахимов Мирзаев Абдуллаев Холматов Эргашев Тошматов"),
    women=_given("Дилноза Гулчехра Нигора Зухра Малика Феруза Шахноза"),
    men=_given("Рустам Шавкат Бахтиёр Икром Улугбек Жасур Отабек Фарход"),
    says_uulu=False,
)

DUNGAN = People(
    families=(
        *_families("Ма Ли Шиваза Хахаза Цунваза", declined=False),
        *_families("Юнусов Мансуров Дауров"),
    ),
    women=_given("Фатима Зейнаб Халида Румия Зарема"),
    men=_given("Исмар Хасан Якуб Арсмаил Рашид"),
    says_uulu=False,
)

PEOPLES = (KYRGYZ, KYRGYZ, KYRGYZ, KYRGYZ, KYRGYZ, RUSSIAN, UZBEK, DUNGAN)
"""Kyrgyz five times, so that a sandbox's streets sound about right."""

_LATIN = dict(zip("абвгдеёзийклмнопрстуфыэ", "abvgdeeziiklmnoprstufye", strict=True))
_LATIN |= {"ж": "zh", "х": "kh", "ц": "ts", "ч": "ch", "ш": "sh", "щ": "shch"}
_LATIN |= {"ъ": "ie", "ь": "", "ю": "iu", "я": "ia"}


def to_latin(russian: str) -> str:
    """The Latin form of travel documents, after ICAO Doc 9303-3, 6 B (Cyrillic)."""
    return "".join(_LATIN.get(letter, letter) for letter in russian.lower()).title()
