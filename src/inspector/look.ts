import { colourRules } from './colours.ts';

/**
 * How it looks, as a stylesheet of its own: a page's policy for styles does not stop one that a script constructs.
 * In the scheme that the visitor prefers; a page that has another sets `color-scheme` on the element.
 */
export function lookSheet(): CSSStyleSheet {
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(`${colourRules()}${LOOK}`);
  return sheet;
}

export const LOOK = `
:host {
  display: block;
  color: var(--ink);
  font: 13px/1.45 system-ui, "Segoe UI", Roboto, "Helvetica Neue", sans-serif;
  font-variant-numeric: tabular-nums;
  text-align: start;
}
:host([hidden]) { display: none }
:host([floating]) {
  position: fixed;
  z-index: 2147483647;
  right: 12px;
  bottom: 12px;
  width: max-content;
  max-width: min(460px, calc(100vw - 24px));
}
:host([floating][open]) { width: 460px }
:host([floating]) .box { box-shadow: 0 8px 30px rgb(0 0 0 / 22%) }
:host([floating]) .body { max-height: min(680px, calc(100vh - 80px)); overflow-y: auto }
* { box-sizing: border-box }
[hidden] { display: none !important }
h2, h3, p, ol, dl, dd { margin: 0; padding: 0; font-size: inherit }
ol { list-style: none }
.box {
  overflow: hidden;
  border: 1px solid var(--line);
  border-radius: 14px;
  background: var(--surface);
}
summary {
  display: flex;
  align-items: center;
  gap: 8px;
  min-height: 40px;
  padding: 6px 14px;
  cursor: pointer;
  list-style: none;
}
summary::-webkit-details-marker { display: none }
summary::before {
  width: 6px;
  height: 6px;
  margin: -3px 2px 0 0;
  border: solid var(--muted);
  border-width: 0 2px 2px 0;
  rotate: 45deg;
  content: "";
}
details:not([open]) > summary::before { margin: 0; rotate: -45deg }
h2 { font-weight: 650 }
.brief { margin-inline-start: auto; color: var(--muted) }
.brief.told { color: var(--warn); font-weight: 600 }
.body { border-top: 1px solid var(--line); scrollbar-width: thin }
.notices { display: grid; background: var(--sunken) }
.notices p { padding: 8px 14px; border-bottom: 1px solid var(--line); color: var(--warn) }
code, pre { font: 12px/1.5 ui-monospace, "SF Mono", "Cascadia Mono", "DejaVu Sans Mono", monospace }
code { overflow-wrap: anywhere }
.notices code { display: block; color: var(--ink); user-select: all }
.figures { display: flex; flex-wrap: wrap; align-items: center; gap: 8px 20px; padding: 10px 14px 12px }
.figures dl { display: flex; flex-wrap: wrap; flex: 1; gap: 8px 20px }
.figures p { flex: 1 0 100% }
.figures p:empty { display: none }
dt, .small, caption, th { color: var(--muted); font-size: 12px; font-weight: 400 }
.figures dd { min-height: 24px; font-size: 17px; font-weight: 650; line-height: 24px; letter-spacing: -0.01em; white-space: nowrap }
.pause { color: var(--warn) }
.bucket { display: flex; align-items: center; gap: 0 10px }
.pips { display: flex; flex-wrap: wrap; gap: 3px }
.pips i { width: 10px; height: 12px; overflow: hidden; border-radius: 3px; background: var(--line) }
.pips i::before { display: block; height: 100%; background: var(--accent); translate: 0 100%; content: "" }
.pips .half::before { translate: 0 50% }
.pips .full::before { translate: 0 0 }
button {
  min-height: 28px;
  padding: 3px 12px;
  border: 1px solid var(--line);
  border-radius: 99px;
  background: var(--sunken);
  color: inherit;
  font: inherit;
  cursor: pointer;
}
button:hover { border-color: var(--muted) }
button[aria-disabled] { color: var(--muted); cursor: default }
:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; border-radius: 4px }
button:focus-visible { border-radius: 99px }
summary:focus-visible, .scroll:focus-visible { outline-offset: -3px }
.parts { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 320px), 1fr)) }
section { min-width: 0; padding: 6px 14px 12px; border-top: 1px solid var(--line) }
.top { display: flex; flex-wrap: wrap; align-items: center; gap: 8px; min-height: 28px }
.top button { margin-inline-start: auto }
h3 { font-weight: 650 }
.ends { display: grid; grid-template-columns: repeat(auto-fill, minmax(104px, 1fr)); gap: 4px 8px }
.ends div { display: flex; flex-direction: column-reverse }
.ends dd { font-size: 15px; font-weight: 650; line-height: 1.3 }
.ends .none { color: var(--muted); font-weight: 400 }
.scroll { max-height: 216px; overflow: auto; margin: 0 -14px; padding: 0 14px; scrollbar-width: thin }
table { width: 100%; border-collapse: collapse }
caption { padding: 0 0 2px; text-align: start }
th, td { padding: 3px 10px 3px 0; text-align: start; vertical-align: baseline }
td, tbody th { border-top: 1px solid var(--line); overflow-wrap: anywhere }
:is(th, td):last-child { padding-inline-end: 0 }
tbody th { min-width: 7em; color: var(--ink); font-size: 13px }
.number { text-align: end; white-space: nowrap }
td time, .number { color: var(--muted) }
td :is(time, b) { white-space: nowrap }
td.long { white-space: normal; overflow-wrap: break-word }
.wide { grid-column: 1 / -1 }
th button { min-height: 24px; padding: 0; border: 0; border-radius: 4px; background: none; text-align: start }
th button:hover, th [aria-expanded=true] { color: var(--accent); text-decoration: underline }
th button:focus-visible { border-radius: 4px }
.record { margin-top: 8px; padding: 8px 10px; border: 1px solid var(--line); border-radius: 10px; background: var(--sunken) }
.record div { display: flex; align-items: center; gap: 8px }
.record button { margin-inline-start: auto }
pre { margin: 4px 0 0; overflow-wrap: anywhere; white-space: pre-wrap }
li { display: grid; grid-template-columns: auto auto 1fr auto; gap: 0 8px; padding: 4px 0; border-top: 1px solid var(--line) }
li:first-child { border: 0 }
li time, .times { color: var(--muted) }
.about { overflow-wrap: anywhere }
.issues { grid-column: 1 / -1 }
.issues div { overflow-wrap: anywhere }
.kind { font-weight: 600; color: var(--warn) }
.rejected, .dropped, .degraded { color: var(--bad) }
.repaired { color: var(--accent) }
.delivered { color: var(--good) }
@media (prefers-reduced-motion: no-preference) {
  .pips i::before { transition: translate .25s }
}
`;
