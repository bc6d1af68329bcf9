"""How two records are compared: per column group its levels, from the same to different.

A level is (SQL condition, m, u): how often two records of one person come out at it, and two of
different people. They are where training begins, and what holds where there is too little to train
on. The last level is everything else. `_l` and `_r` are the two records.
"""

from collections.abc import Iterable
from typing import Any, NamedTuple

from touchline.identity.match.fold import HAN

__all__ = ["COMPARISONS", "settings"]


class Level(NamedTuple):
    condition: str
    m: float
    u: float
    of: str | None = None  # the column whose frequent values say less than its rare ones
    is_fixed: bool = False  # not learnt from the records


class Comparison(NamedTuple):
    name: str
    null: str
    levels: tuple[Level, ...]


def _null(column: str) -> str:
    return f"{column}_l IS NULL OR {column}_r IS NULL"


def _alike(column: str, least: float) -> str:
    return f"jaro_winkler_similarity({column}_l, {column}_r) >= {least}"


def _same(column: str) -> str:
    return f"{column}_l = {column}_r"


def _not_other(column: str) -> str:
    return f"coalesce({_same(column)}, true)"


def _typo(column: str, most: int = 1) -> str:
    return f"damerau_levenshtein({column}_l, {column}_r) <= {most}"


def _letters(column: str, least: float) -> str:
    """Letters that are alike are a slip of the pen; pinyin that is alike is another name."""
    plain = column.removesuffix("_sound")
    han = f"regexp_matches({plain}_l, '[{HAN}]') AND regexp_matches({plain}_r, '[{HAN}]')"
    return f"{_alike(column, least)} AND NOT ({han})"


def _accent(column: str) -> str:
    """Half of the country says z for zh and n for ng."""
    heard = "replace(replace(replace(replace({0}, 'zh', 'z'), 'ch', 'c'), 'sh', 's'), 'ng', 'n')"
    return f"{heard.format(column + '_l')} = {heard.format(column + '_r')}"


SWAPPED = "surname_sound_l = given_sound_r AND given_sound_l = surname_sound_r"


def _name(part: str, *, same_u: float) -> Comparison:
    sound = f"{part}_sound"
    return Comparison(
        part,
        _null(sound),
        (
            Level(_same(part), 0.72, same_u, part),
            Level(_same(sound), 0.08, same_u * 1.5, sound),
            Level(SWAPPED, 0.02, 0.0005),
            Level(f"({_letters(sound, 0.9)}) OR {_accent(sound)}", 0.08, 0.01),
            Level(_letters(sound, 0.8), 0.04, 0.03),
            Level("ELSE", 0.06, 0.94),
        ),
    )


# Who lives together shares an address, a phone and a surname: that speaks for one household, not
# one person. So another given name with another birthday or gender weighs as all of that together.
OTHERS = (
    f"NOT (given_l = given_r OR given_sound_l = given_sound_r OR "
    f"({_letters('given_sound', 0.8)}) OR {_accent('given_sound')} OR "
    "given_sound_l = surname_sound_r OR surname_sound_l = given_sound_r OR "
    f"coalesce({_same('national_id')}, false)) AND "
    f"(coalesce(gender_l <> gender_r, false) OR coalesce(NOT ({_typo('birthday')}), false))"
)

COMPARISONS = (
    _name("surname", same_u=0.01),
    _name("given", same_u=0.004),
    Comparison(
        "birthday",
        _null("birthday"),
        (
            Level(_same("birthday"), 0.88, 0.00004),
            Level(_typo("birthday"), 0.06, 0.0006),
            Level(
                "substr(birthday_l, 1, 4) = substr(birthday_r, 1, 4) OR "
                "substr(birthday_l, 6) = substr(birthday_r, 6)",
                0.04,
                0.025,
            ),
            Level("ELSE", 0.02, 0.974),
        ),
    ),
    Comparison(
        "national_id",
        _null("national_id"),
        (
            Level(_same("national_id"), 0.9, 0.00001),
            Level(_typo("national_id"), 0.06, 0.00005),
            Level(_typo("national_id", 2), 0.02, 0.0005),
            Level("ELSE", 0.02, 0.99944),
        ),
    ),
    Comparison(
        "phone",
        _null("phone"),
        (
            Level(_same("phone"), 0.6, 0.00002),
            Level(_typo("phone"), 0.1, 0.0001),
            Level("ELSE", 0.3, 0.99988),
        ),
    ),
    Comparison(
        "email",
        _null("email"),
        (
            Level(_same("email"), 0.6, 0.00002),
            Level(f"split_part(email_l, '@', 1) = split_part(email_r, '@', 1) OR {_typo('email')}",
                  0.1, 0.0002),
            Level(_alike("email", 0.9), 0.05, 0.002),
            Level("ELSE", 0.25, 0.99778),
        ),
    ),
    Comparison(
        "household",
        _null("given_sound"),
        (
            Level(OTHERS, 1 / 4096, 1.0, is_fixed=True),
            Level("ELSE", 1.0, 1.0, is_fixed=True),
        ),
    ),
    Comparison(
        "gender",
        _null("gender"),
        (Level(_same("gender"), 0.97, 0.5), Level("ELSE", 0.03, 0.5)),
    ),
    Comparison(
        "postcode",
        _null("postcode"),
        (
            Level(_same("postcode"), 0.8, 0.002, "postcode"),
            Level(_typo("postcode"), 0.1, 0.01),
            Level("ELSE", 0.1, 0.988),
        ),
    ),
    Comparison(
        "area",
        "coalesce(district_l, city_l, region_l) IS NULL OR "
        "coalesce(district_r, city_r, region_r) IS NULL",
        (
            Level(f"{_same('district')} AND {_not_other('city')}", 0.6, 0.01, "district"),
            Level(f"{_same('city')} AND {_not_other('district')}", 0.2, 0.02, "city"),
            Level(_alike("city", 0.88), 0.07, 0.03),
            Level(_same("region"), 0.08, 0.2, "region"),
            Level("ELSE", 0.05, 0.74),
        ),
    ),
    Comparison(
        "street",
        _null("street"),
        (
            Level(f"{_same('street')} AND {_same('door')}", 0.5, 0.00005),
            Level(_same("street"), 0.2, 0.001, "street"),
            Level(f"{_alike('street', 0.92)} OR contains(street_l, street_r) OR "
                  "contains(street_r, street_l)", 0.1, 0.004),
            Level(_alike("street", 0.8), 0.05, 0.02),
            Level("ELSE", 0.15, 0.97495),
        ),
    ),
    Comparison(
        "place",
        _null("place"),
        (
            Level(_same("place"), 0.7, 0.002, "place"),
            Level(_alike("place", 0.9), 0.15, 0.01),
            Level("ELSE", 0.15, 0.988),
        ),
    ),
)  # fmt: skip


def settings(
    columns: Iterable[str], blocks: Iterable[str], share: float, *, has_frequencies: bool
) -> dict[str, Any]:
    """Splink's settings for records that say anything in these columns. `share` of all pairs are
    of one person; `blocks` are the columns of which two records must share one to be compared.
    Frequencies of values say something only where there are many records.
    """
    said = set(columns)
    used = [c for c in COMPARISONS if said & _columns(c)]
    return {
        "link_type": "dedupe_only",
        "unique_id_column_name": "record",
        "probability_two_random_records_match": share,
        "retain_matching_columns": False,
        "retain_intermediate_calculation_columns": True,
        "max_iterations": 15,
        "blocking_rules_to_generate_predictions": [
            {"blocking_rule": f"l.{name} = r.{name}", "sql_dialect": "duckdb"} for name in blocks
        ],
        "comparisons": [_comparison(c, has_frequencies) for c in used],
    }


OF_SEVERAL = {"area": {"region", "city", "district"}, "household": {"given"}}


def _columns(comparison: Comparison) -> set[str]:
    return OF_SEVERAL.get(comparison.name, {comparison.name})


def _comparison(comparison: Comparison, has_frequencies: bool) -> dict[str, Any]:
    levels: list[dict[str, Any]] = [
        {"sql_condition": comparison.null, "label_for_charts": "null", "is_null_level": True}
    ]
    for number, level in enumerate(comparison.levels):
        one = {
            "sql_condition": level.condition,
            "label_for_charts": f"{comparison.name} {number}",
            "m_probability": level.m,
            "u_probability": level.u,
        }
        if level.is_fixed:
            one |= {"fix_m_probability": True, "fix_u_probability": True}
        if level.of and has_frequencies:
            one |= {"tf_adjustment_column": level.of, "tf_minimum_u_value": 0.00001}
            # Else Splink takes the frequency as that of a level which says that and no more.
            one["disable_tf_exact_match_detection"] = level.condition != _same(level.of)
        levels.append(one)
    return {"output_column_name": comparison.name, "comparison_levels": levels}
