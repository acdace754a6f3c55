# The style of the page, light and dark.
package Style;

use strict;
use warnings;

sub css
{
	return <<'CSS';
:root { color-scheme: light dark; --page: #f4f5f7; --card: #ffffff; --ink: #1c2127; --soft: #57606a; --line: #dde1e6; --track: #eef0f3;
  --series: #2a66b8; --up: #2a66b8; --down: #b4572a; --error: #c0392b; --warning: #8a5a00; --good: #2f7d4f; --muted: #8a939d; }
@media (prefers-color-scheme: dark) {
  :root { --page: #14171b; --card: #1d2126; --ink: #e8eaed; --soft: #a3abb5; --line: #343a42; --track: #272c33;
    --series: #6ea6ee; --up: #6ea6ee; --down: #e39466; --error: #f0776b; --warning: #e0ab4f; --good: #67be8b; --muted: #78818c; }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--page); color: var(--ink); font: 15px/1.5 system-ui, "Segoe UI", Roboto, "DejaVu Sans", sans-serif; }
header, main, footer { max-width: 1180px; margin: 0 auto; padding: 0 20px; }
header { padding-top: 28px; }
h1 { font-size: 1.7rem; line-height: 1.2; margin: 0; overflow-wrap: anywhere; }
h2 { font-size: 1.1rem; margin: 0; }
header p, figcaption p, section > p, footer { color: var(--soft); margin: 4px 0 12px; }
main { display: grid; grid-template-columns: repeat(2, minmax(0, 1fr)); gap: 16px; padding-top: 8px; padding-bottom: 16px; }
.card { background: var(--card); border: 1px solid var(--line); border-radius: 8px; padding: 16px 20px; margin: 0; min-width: 0; }
.column { display: grid; gap: 16px; align-content: start; min-width: 0; }
.wide, .tiles { grid-column: 1 / -1; }
.tiles { display: grid; grid-template-columns: repeat(6, minmax(0, 1fr)); gap: 12px; margin: 8px 0 0; }
.tile { background: var(--card); border: 1px solid var(--line); border-top: 3px solid var(--line); border-radius: 8px; padding: 10px 14px; }
.tile.error { border-top-color: var(--error); } .tile.warning { border-top-color: var(--warning); } .tile.good { border-top-color: var(--good); }
.tile dt { color: var(--soft); font-size: .85rem; }
.tile dd { margin: 0; font-size: 1.7rem; font-weight: 600; line-height: 1.25; }
.tile small { display: block; font-size: .8rem; font-weight: 400; color: var(--soft); }
.scroll { overflow-x: auto; }
figure svg { display: block; width: 100%; height: auto; }
figure svg { min-width: 450px; } figure.wide svg { min-width: 920px; }
svg text { font-size: 13px; fill: var(--soft); unicode-bidi: isolate; }
svg text.label { fill: var(--ink); } svg text.value { fill: var(--ink); font-variant-numeric: tabular-nums; }
svg .end { text-anchor: end; } svg .middle { text-anchor: middle; }
.grid { stroke: var(--line); } .axis { stroke: var(--muted); }
.line { fill: none; stroke: var(--series); stroke-width: 2; stroke-linejoin: round; } .area { fill: var(--series); opacity: .14; }
.dot, .bar, .info { fill: var(--series); } .up { fill: var(--up); } .down { fill: var(--down); }
svg .error { fill: var(--error); } svg .warning { fill: var(--warning); } svg .muted { fill: var(--muted); }
.by-cidr { fill-opacity: .5; }
.track { fill: var(--track); } .touch { fill: var(--ink); opacity: 0; } .touch:hover { opacity: .12; }
.spark { width: 120px; height: 22px; vertical-align: middle; } .spark .line { stroke-width: 1.5; }
table { border-collapse: collapse; width: 100%; font-size: .84rem; }
caption { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
th, td { text-align: left; padding: 5px 10px 5px 0; border-bottom: 1px solid var(--line); vertical-align: top; overflow-wrap: break-word; max-width: 30rem; }
th { color: var(--soft); font-weight: 600; white-space: nowrap; }
.num { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
td.num + td:not(.num), th.num + th:not(.num) { padding-left: 10px; }
.badge { font-weight: 600; } .badge.error { color: var(--error); } .badge.warning { color: var(--warning); } .badge.info { color: var(--series); }
details { margin-top: 10px; } summary { cursor: pointer; color: var(--soft); font-size: .87rem; }
details .scroll { max-height: 22rem; overflow: auto; }
code { font: .95em ui-monospace, "DejaVu Sans Mono", monospace; white-space: pre-wrap; overflow-wrap: anywhere; unicode-bidi: isolate; }
.none { color: var(--soft); font-style: italic; }
nav ul { display: flex; flex-wrap: wrap; gap: 4px 18px; list-style: none; margin: 0; padding: 0; } nav { grid-column: 1 / -1; }
nav a { color: var(--series); }
h3 { font-size: .95rem; margin: 14px 0 2px; } .count { color: var(--soft); font-weight: 400; }
.finding { border-top: 1px solid var(--line); padding-bottom: 10px; } .finding details { margin-top: 4px; } .finding p { margin: 2px 0; } .finding .todo { color: var(--soft); }
th[tabindex] { cursor: pointer; } th[aria-sort="ascending"]::after { content: " \2191"; } th[aria-sort="descending"]::after { content: " \2193"; }
input { font: inherit; font-size: .87rem; margin: 4px 0 8px; padding: 3px 8px; color: var(--ink); background: var(--card); border: 1px solid var(--muted); border-radius: 4px; }
input::placeholder { color: var(--soft); opacity: 1; }
@media screen and (max-width: 820px) {
  main { grid-template-columns: minmax(0, 1fr); } .tiles { grid-template-columns: repeat(2, minmax(0, 1fr)); }
  header, main, footer { padding-left: 12px; padding-right: 12px; } .card { padding: 12px; } td { min-width: 5rem; } td.num { min-width: 0; }
}
@page { size: A4 landscape; margin: 10mm; }
@media print {
  body { background: none; } header, main, footer { max-width: none; padding-left: 0; padding-right: 0; } .card { padding: 10px 12px; }
  figure, .tile, tr { break-inside: avoid; } h2, h3, section > p, .finding p, .finding summary, thead { break-after: avoid; } figure details, nav, input { display: none; }
  .finding details::details-content { content-visibility: visible; display: block; } .finding summary { display: none; }
  .scroll, details .scroll { overflow: visible; max-height: none; } table { font-size: 12px; }
  th, td { padding-right: 6px; overflow-wrap: anywhere; } th { white-space: normal; } .spark { width: 80px; }
}
CSS
}

1;
