/** How a report looks, on a light and on a dark screen, and on paper. */
export const pageStyle = `:root {
  color-scheme: light dark;
  --text: #1c2128; --soft: #57606a; --ground: #ffffff; --line: #d0d7de;
  --allow: #2e8555; --approval: #b7791f; --deny: #c0392b; --unknown: #8c959f;
}
@media (prefers-color-scheme: dark) {
  :root {
    --text: #e6edf3; --soft: #9aa4af; --ground: #14181d; --line: #343b44;
    --allow: #4fb57f; --approval: #e0a84a; --deny: #ef6f63; --unknown: #7d8590;
  }
}
body { margin: 0; background: var(--ground); color: var(--text); font: 15px/1.5 system-ui, sans-serif; }
main { max-width: 1080px; margin: 0 auto; padding: 2rem 1.25rem 4rem; }
h1 { font-size: 1.5rem; margin: 0 0 .75rem; overflow-wrap: anywhere; }
h2 { font-size: 1.1rem; margin: 2.25rem 0 .5rem; }
code { font: .88em/1.4 ui-monospace, monospace; overflow-wrap: anywhere; }
.outcome { font-size: 1.15rem; font-weight: 600; padding: .6rem .9rem; border-left: 6px solid; }
.outcome.same { border-color: var(--allow); }
.outcome.different { border-color: var(--deny); }
.outcome.incomplete { border-color: var(--approval); }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; vertical-align: top; padding: .35rem .6rem; border-bottom: 1px solid var(--line); }
th { font-weight: 600; white-space: nowrap; }
.number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
.changed { font-weight: 700; color: var(--deny); }
tr.unknown td, tr.moved td { color: var(--soft); }
figure { margin: 0; }
figcaption { color: var(--soft); margin-top: .4rem; }
.timeline { width: 100%; height: auto; }
.timeline text { fill: var(--soft); font: 12px system-ui, sans-serif; }
.timeline .axis { stroke: var(--line); }
.timeline .allow { fill: var(--allow); }
.timeline .require_approval { fill: var(--approval); }
.timeline .deny { fill: var(--deny); }
.timeline .unknown { fill: var(--unknown); }
.timeline .different { fill: var(--text); }
.timeline .open { fill: none; stroke: var(--text); stroke-width: 1.5; }
.key { display: inline-block; width: .8em; height: .8em; margin: 0 .3em 0 .6em; }
.key.allow { background: var(--allow); }
.key.require_approval { background: var(--approval); }
.key.deny { background: var(--deny); }
.key.unknown { background: var(--unknown); }
@media print { main { max-width: none; padding: 0; } tr { break-inside: avoid; } }
`
