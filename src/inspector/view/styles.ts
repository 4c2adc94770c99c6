import { colourRules } from './palette.ts';

/**
 * The styles, as a constructed stylesheet, which a page's CSP does not block.
 * They follow the visitor's colour scheme, unless the page sets `color-scheme` on the element.
 */
export function styleSheet(): CSSStyleSheet {
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(`${colourRules()}${STYLES}`);
  return sheet;
}

export const STYLES = `
:host { display: block; color: var(--ink); font: 13px/1.45 system-ui, sans-serif; font-variant-numeric: tabular-nums; overflow-wrap: anywhere; text-align: start }
:host([hidden]) { display: none }
:host([floating]) { position: fixed; z-index: 2147483647; right: 12px; bottom: 12px; width: max-content; max-width: min(460px, calc(100vw - 24px)) }
:host([floating][open]) { width: 460px }
:host([floating]) .box { box-shadow: 0 8px 30px rgb(0 0 0 / 22%) }
:host([floating]) .body { max-height: min(680px, calc(100vh - 80px)); overflow-y: auto }
* { box-sizing: border-box; scrollbar-width: thin }
[hidden] { display: none !important }
h2, h3, p, ol, dl, dd { margin: 0; padding: 0; font-size: inherit }
ol { list-style: none }
.box { overflow: hidden; border: 1px solid var(--line); border-radius: 14px; background: var(--surface) }
summary { display: flex; align-items: center; gap: 8px; min-height: 40px; padding: 6px 14px; cursor: pointer; list-style: none }
summary::-webkit-details-marker { display: none }
summary::before { color: var(--muted); content: "▸" }
[open] > summary::before { rotate: 90deg }
h2, h3, .figures dd, .outcomes dd { font-weight: 650 }
.brief { margin-inline-start: auto; color: var(--muted) }
.brief.has-errors { color: var(--warn); font-weight: 600 }
.body { border-top: 1px solid var(--line) }
.notices { display: grid; background: var(--sunken) }
.notices p { padding: 8px 14px; border-bottom: 1px solid var(--line); color: var(--warn) }
code { overflow-wrap: anywhere }
code, pre { font: 12px/1.5 ui-monospace, monospace }
.notices code { display: block; color: var(--ink); user-select: all }
.figures, .figures dl { display: flex; flex-wrap: wrap; align-items: center; gap: 8px 20px }
.figures { padding: 10px 14px 12px }
.figures dl { flex: 1 }
.figures p { flex: 1 0 100% }
.figures p:empty { display: none }
dt, .small, caption, th { color: var(--muted); font-size: 12px; font-weight: 400 }
.figures dd { min-height: 24px; font-size: 17px; line-height: 24px; white-space: nowrap }
.pause { color: var(--warn) }
.bucket { display: flex; align-items: center; gap: 0 10px }
.pips { display: flex; flex-wrap: wrap; gap: 3px }
.pips i { width: 10px; height: 12px; border-radius: 3px; background: var(--line) }
.pips .half { background: linear-gradient(0deg, var(--accent) 50%, var(--line) 0) }
.pips .full { background: var(--accent) }
button { min-height: 28px; padding: 3px 12px; border: 1px solid var(--line); border-radius: 99px; background: var(--sunken); color: inherit; font: inherit; cursor: pointer }
button[aria-disabled] { color: var(--muted); cursor: default }
:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px }
summary:focus-visible, .scroll:focus-visible { outline-offset: -2px }
.parts { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 320px), 1fr)) }
section { min-width: 0; padding: 6px 14px 12px; border-top: 1px solid var(--line) }
.top { display: flex; flex-wrap: wrap; align-items: center; gap: 8px; min-height: 28px }
.top button { margin-inline-start: auto }
.outcomes { display: grid; grid-template-columns: repeat(auto-fill, minmax(104px, 1fr)); gap: 4px 8px }
.outcomes div { display: flex; flex-direction: column-reverse }
.outcomes dd { font-size: 15px; line-height: 1.3 }
.outcomes .none { color: var(--muted); font-weight: 400 }
.scroll { max-height: 216px; overflow: auto; margin: 0 -14px; padding: 0 14px }
table { width: 100%; border-collapse: collapse }
caption { padding: 0 0 2px; text-align: start }
th, td { padding: 3px 10px 3px 0; text-align: start; vertical-align: baseline }
td, tbody th { border-top: 1px solid var(--line) }
td { overflow-wrap: break-word }
:is(th, td):last-child { padding-inline-end: 0 }
tbody th { min-width: 7em; color: var(--ink); font-size: 13px }
.number { text-align: end; white-space: nowrap }
td time, .number { color: var(--muted) }
td :is(time, b) { white-space: nowrap }
td.long { white-space: normal }
.wide { grid-column: 1 / -1 }
th button { min-height: 24px; padding: 0; border: 0; border-radius: 4px; background: none; text-align: start }
[aria-expanded=true] { color: var(--accent); text-decoration: underline }
.record { margin-top: 8px; padding: 8px 10px; border: 1px solid var(--line); border-radius: 10px; background: var(--sunken) }
.findings { color: var(--warn) }
pre { margin: 4px 0 0; white-space: pre-wrap }
li { display: grid; grid-template-columns: auto auto 1fr auto; gap: 0 8px; padding: 4px 0; border-top: 1px solid var(--line) }
li:first-child { border: 0 }
li time, .times { color: var(--muted) }
.issues { grid-column: 1 / -1 }
.kind { font-weight: 600; color: var(--warn) }
.rejected, .dropped, .degraded { color: var(--bad) }
.repaired { color: var(--accent) }
.delivered { color: var(--good) }
`;
