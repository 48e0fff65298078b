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
    """The man's and the woman's in Russian, where the rule below does not give them."""

    def ru_patronymic(self, female: bool) -> str:
        """`Бакытович`, `Бакытовна`."""
        if self.own_patronymic is not None:
            return self.own_patronymic[1 if female else 0]
        return _joined(self.ru, "евна" if female else "евич", "овна" if female else "ович")

    def ky_patronymic(self, female: bool) -> str:
        """`Бакыт уулу`, `Бакыт кызы`."""
        return f"{self.ky} {'кызы' if female else 'уулу'}"


@dataclass(frozen=True, slots=True)
class Family:
    """A surname in the man's form; `declined` where a woman's takes an ending."""

    ky: str
    ru: str
    declined: bool = True

    def ky_form(self, female: bool) -> str:
        """The surname as Kyrgyz writes it."""
        return self._form(self.ky, female)

    def ru_form(self, female: bool) -> str:
        """The surname as Russian writes it."""
        return self._form(self.ru, female)

    def _form(self, surname: str, female: bool) -> str:
        if not (female and self.declined):
            return surname
        return f"{surname[:-2]}ая" if surname.endswith("ий") else f"{surname}а"


@dataclass(frozen=True, slots=True)
class People:
    """Names that go together."""

    families: tuple[Family, ...]
    women: tuple[Given, ...]
    men: tuple[Given, ...]


def _joined(name: str, soft: str, hard: str) -> str:
    if name[-1] in "йь":
        return name[:-1] + soft
    if name[-1] in "аеиоуыэюя":
        return name[:-1] + soft
    return name + (soft if name[-1] in "чшжщц" else hard)


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
        "Асанов Үсөнов/Усенов Өмүралиев/Омуралиев Бакыев Токтогулов Жээнбеков Осмонов/Осмонов "
        "Сыдыков Мамытов Бөкөнбаев/Боконбаев Түгөлбаев/Тугельбаев Кадыров Абдраев Эсенаманов "
        "Чоңбашев/Чонбашев Маматов Ысаков/Исаков Турдубаев Шаршенов Алымкулов Бейшеналиев "
        "Көчкөнов/Кочконов Сатыбалдиев Жумабаев Дүйшеев/Дуйшеев Орозбаев"
    ),
    women=_given(
        "Айгүл/Айгуль Гүлнара/Гульнара Жылдыз Айнура Назгүл/Назгуль Бермет Чолпон Нургүл/Нургуль "
        "Мээрим/Мээрим Асель Каныкей Бегимай Айжан Үмүт/Умут Сезим Элиза"
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
        *_given("Александр Андрей Алексей Сергей Дмитрий Виктор Михаил Николай Василий"),
        Given("Илья", "Илья", ("Ильич", "Ильинична")),
    ),
)

UZBEK = People(
    families=_families("Каримов Юсупов Рахимов Мирзаев Абдуллаев Холматов Эргашев Тошматов"),
    women=_given("Дилноза Гулчехра Нигора Зухра Малика Феруза Шахноза"),
    men=_given("Рустам Шавкат Бахтиёр/Бахтиёр Икром Улугбек Жасур Отабек Фарход"),
)

DUNGAN = People(
    families=(
        *_families("Ма Ли Юнусов/Юнусов", declined=False)[:2],
        *_families("Юнусов Шиваза Мансуров Дауров")[:1],
        *_families("Шиваза Хахаза Цунваза", declined=False),
        *_families("Мансуров Дауров"),
    ),
    women=_given("Фатима Зейнаб Халида Румия Зарема"),
    men=_given("Исмар Хасан Якуб Муса Арсмаил Рашид"),
)

PEOPLES = (KYRGYZ, KYRGYZ, KYRGYZ, KYRGYZ, KYRGYZ, RUSSIAN, UZBEK, DUNGAN)
"""Kyrgyz five times, so that a sandbox's streets sound about right."""

_LATIN = {
    **dict(zip("абвгдезийклмнопрстуфыэ", "abvgdeziyklmnoprstufye", strict=True)),
    **{"ё": "e", "ж": "zh", "х": "kh", "ц": "ts", "ч": "ch", "ш": "sh", "щ": "shch"},
    **{"ъ": "", "ь": "", "ю": "iu", "я": "ia"},
}


def to_latin(russian: str) -> str:
    """The Latin form of travel documents, after ICAO Doc 9303-3, 6 B (Cyrillic)."""
    return "".join(_LATIN.get(letter, letter) for letter in russian.lower()).title()
