"""Lines of `battery.py --growth` → two log-log panels as SVG, without a plotting library.

Seconds are those of all cores together: what a busy machine changes least.
"""

from collections.abc import Sequence
from math import log

WIDTH, HEIGHT, LEFT, TOP, GAP = 330, 210, 56, 34, 90
COLOURS = {"cpu": "#1f6feb", "mib": "#c2410c"}
NAMESPACE = 'xmlns="http://www.w3.org/2000/svg" font-size="12"'
UNITS = {"cpu": "seconds of cores", "mib": "MiB at most"}


def drawn(lines: Sequence[dict[str, float]]) -> str:
    """The plot of all lines: journeys at 12 labels on the left, labels at 1 M journeys right."""
    whole = [line for line in lines if line["models"] == lines[0]["models"]]
    wide = [line for line in lines if line["models"] != lines[0]["models"]]
    panels = [
        _panel(whole, "journeys", "journeys, 12 labels: the whole battery", LEFT),
        _panel(
            wide, "labels", "labels, 1 M journeys: rules, Markov 1, Shapley", LEFT + WIDTH + GAP
        ),
    ]
    width, height = 2 * WIDTH + GAP + 2 * LEFT, HEIGHT + TOP + 72
    return "\n".join(
        [
            f'<svg {NAMESPACE} viewBox="0 0 {width} {height}" font-family="sans-serif">',
            f'<rect width="{width}" height="{height}" fill="white"/>',
            *panels,
            "</svg>",
            "",
        ]
    )


def _panel(lines: Sequence[dict[str, float]], by: str, title: str, left: int) -> str:
    sizes = [line[by] for line in lines]
    parts = [
        f'<text x="{left}" y="{TOP - 14}" font-weight="bold">{title}</text>',
        f'<rect x="{left}" y="{TOP}" width="{WIDTH}" height="{HEIGHT}" fill="none" stroke="#999"/>',
    ]
    across = [left + WIDTH * _part(size, sizes) for size in sizes]
    for x, size in zip(across, sizes, strict=True):
        parts.append(
            f'<text x="{x:.0f}" y="{TOP + HEIGHT + 16}" text-anchor="middle">{_short(size)}</text>'
        )
        parts.append(f'<path d="M{x:.0f} {TOP}v{HEIGHT}" stroke="#eee"/>')
    for number, (name, colour) in enumerate(COLOURS.items()):
        values = [line[name] for line in lines]
        scale = [
            10**k
            for k in range(-1, 6)
            if 10**k <= max(values) * 10 and 10 ** (k + 1) >= min(values)
        ]
        ends = [scale[0], scale[-1]]
        band = TOP + number * HEIGHT / 2  # each series has half of the height
        down = [band + HEIGHT / 2 * (1 - _part(value, ends)) for value in values]
        points = " ".join(f"{x:.0f},{y:.0f}" for x, y in zip(across, down, strict=True))
        parts.append(
            f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="2"/>'
        )
        for x, y, value in zip(across, down, values, strict=True):
            parts.append(f'<circle cx="{x:.0f}" cy="{y:.0f}" r="3" fill="{colour}"/>')
            above = y - 8 if y > band + 20 else y + 16
            style = f'text-anchor="middle" fill="{colour}" font-size="10"'
            parts.append(f'<text x="{x:.0f}" y="{above:.0f}" {style}>{_short(value)}</text>')
        y = TOP + HEIGHT + 36 + 16 * number
        what = f"{UNITS[name]}, {_short(ends[0])} to {_short(ends[1])}"
        parts.append(f'<text x="{left}" y="{y}" fill="{colour}">{what}</text>')
    return "\n".join(parts)


def _part(value: float, among: Sequence[float]) -> float:
    """Where a value lies between the least and the greatest, in logarithms."""
    low, high = log(min(among)), log(max(among))
    return (log(value) - low) / (high - low)


def _short(number: float) -> str:
    for unit, name in ((1e6, "M"), (1e3, "k")):
        if number >= unit:
            return f"{float(f'{number / unit:.2g}'):g}{name}"
    return f"{float(f'{number:.2g}'):g}"
