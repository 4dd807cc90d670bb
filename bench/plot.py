"""A picture of what a request costs: bars of processor time, program by program, scene by scene."""

from __future__ import annotations

from figures import median
from report import Samples

COLOURS = {
    "carnet": "#b5432a",
    "nginx": "#4c7a53",
    "haproxy": "#5b7fa6",
    "envoy": "#8a6ba1",
    "traefik": "#b8a13c",
}
BAR, GAP, LEFT, WIDTH = 14, 22, 150, 640


def bars(results: dict[str, Samples], facts: dict[str, str]) -> str:
    """An SVG. Each scene has its own scale: the dearest program fills it."""
    parts, top = [], 56
    for scene, samples in results.items():
        costs = {name: median([s["cpu_us"] for s in taken]) for name, taken in samples.items()}
        parts.append(_text(0, top + BAR, scene, weight="bold"))
        for name, cost in costs.items():
            length = max(1.0, cost / max(costs.values()) * (WIDTH - LEFT - 110))
            parts.append(_text(LEFT - 8, top + BAR - 3, name, anchor="end"))
            parts.append(
                f'<rect x="{LEFT}" y="{top}" width="{length:.1f}" height="{BAR - 2}"'
                f' fill="{COLOURS.get(name, "#777")}"/>'
            )
            parts.append(_text(LEFT + length + 6, top + BAR - 3, f"{cost:,.1f} µs"))
            top += BAR
        top += GAP
    title = "Processor time for each request or message, in microseconds: less is better"
    about = f"{facts['date']}, commit {facts['commit']}, {facts['machine']}"
    head = [_text(0, 16, title, weight="bold"), _text(0, 32, about)]
    size = f'width="{WIDTH}" height="{top}" viewBox="0 0 {WIDTH} {top}"'
    opening = f'<svg xmlns="http://www.w3.org/2000/svg" {size}>'
    style = "<style>text{font:11px sans-serif;fill:#222}</style>"
    ground = f'<rect width="{WIDTH}" height="{top}" fill="#fff"/>'
    return "\n".join([opening, style, ground, *head, *parts, "</svg>"]) + "\n"


def _text(x: float, y: float, text: str, weight: str = "normal", anchor: str = "start") -> str:
    safe = text.replace("&", "&amp;").replace("<", "&lt;")
    place = f'x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" font-weight="{weight}"'
    return f"<text {place}>{safe}</text>"
