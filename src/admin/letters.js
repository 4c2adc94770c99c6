import { element, find, setText } from './element.js';
import { count, counted } from './in-words.js';
import { keyedList } from './keyed-list.js';
import { letterItem } from './letter-item.js';
import { joined, readLetters } from './letter-pages.js';
import { PAGE_SIZE } from './relay.js';
import { sure } from './sure.js';

/** @import { Letter, Outcome, Page, Relay, Which } from './relay.js' */

const DONE = {
  replay: 'replayed: on the way to WebEngage again, under a new x-request-id',
  discard: 'discarded',
};
// The export is read from memory by then, in every browser.
const DOWNLOAD_MS = 60_000;

/**
 * The dead letters of the page: to read, replay, discard, and take home.
 *
 * @param {{ readonly relay: () => Relay, readonly noDoor: () => void, readonly changed: () => void }} wires
 *   `noDoor`: the token opens nothing any more. `changed`: there are fewer letters now.
 */
export function deadLetters({ relay, noDoor, changed }) {
  const list = find('letter-list', HTMLOListElement);
  const said = find('letters-said', HTMLElement);
  const anew = find('letters-anew', HTMLButtonElement);
  const more = find('letters-more', HTMLButtonElement);
  const selectShown = find('select-shown', HTMLInputElement);
  const draw = keyedList(
    list,
    (/** @type {Letter} */ { id }) => id,
    (letter) => letterItem(letter, now, { selected: showSelection, settle: settleOne }),
  );

  /** @type {Page} */
  let page = { letters: [], next: null };
  let now = 0;
  let total = 0;
  // How many there were when the list was read: another number means that the list is old.
  let totalAsRead = 0;
  let reading = false;
  let settling = false;
  // An answer to who has left the page since is not shown to who comes next.
  let visit = 0;

  anew.addEventListener('click', () => read());
  more.addEventListener('click', readMore);
  selectShown.addEventListener('change', () => {
    for (const box of boxes()) box.checked = selectShown.checked;
    showSelection();
  });
  for (const deed of /** @type {const} */ (['replay', 'discard'])) {
    find(`${deed}-selected`, HTMLButtonElement).addEventListener('click', () => settleSelected(deed));
    find(`${deed}-all`, HTMLButtonElement).addEventListener('click', () => settleAll(deed));
  }
  find('export', HTMLButtonElement).addEventListener('click', takeHome);

  return {
    /**
     * Reads the list where it has changed. A long one only when asked to: it would move under the reader's eyes.
     *
     * @param {number} letters
     * @param {number} at
     */
    show(letters, at) {
      total = letters;
      now = at;
      const old = total !== totalAsRead;
      const short = page.letters.length <= PAGE_SIZE;
      if (old && short) void read();
      anew.hidden = !old || short;
      showCounts();
    },
    /** Takes everything off the page: the token that showed it is gone. */
    clear() {
      visit += 1;
      page = { letters: [], next: null };
      total = 0;
      totalAsRead = 0;
      setText(said, '');
      showPage();
    },
  };

  async function read() {
    if (reading) return;
    reading = true;
    const asked = { visit, total };
    const outcome = await readLetters(relay().letters, Math.max(1, page.letters.length));
    reading = false;
    if (asked.visit !== visit) return;
    const body = bodyOf(outcome);
    if (body === undefined) return;
    page = body;
    totalAsRead = asked.total;
    anew.hidden = true;
    showPage();
  }

  async function readMore() {
    const asked = visit;
    const outcome = await relay().letters(page.next);
    if (asked !== visit) return;
    const body = bodyOf(outcome);
    if (body === undefined) return;
    page = joined(page.letters, body);
    showPage();
  }

  /**
   * @param {'replay' | 'discard'} deed
   * @param {Letter} letter
   */
  async function settleOne(deed, letter) {
    if (deed === 'discard' && !(await sureToDiscard('this dead letter'))) return;
    await settle(deed, { ids: [letter.id] });
  }

  /** @param {'replay' | 'discard'} deed */
  async function settleSelected(deed) {
    const ids = selectedIds();
    if (deed === 'discard' && !(await sureToDiscard(`the ${counted(ids.length, 'selected dead letter')}`)))
      return;
    await settle(deed, { ids });
  }

  /** @param {'replay' | 'discard'} deed */
  async function settleAll(deed) {
    const all = total === 1 ? 'the 1 dead letter there is' : `all ${counted(total, 'dead letter')}`;
    const yes =
      deed === 'discard'
        ? await sureToDiscard(all)
        : await sure(
            `Replay ${all}?`,
            'Those that come until then too. They go to WebEngage again; what it still refuses comes back here.',
            `Replay ${count(total)}`,
          );
    if (yes) await settle(deed, { all: true });
  }

  /**
   * @param {'replay' | 'discard'} deed
   * @param {Which} which
   */
  async function settle(deed, which) {
    // A second press would find the letters gone, and say that it did nothing.
    if (settling) return;
    settling = true;
    const outcome = await relay().settle(deed, which);
    settling = false;
    const settled = bodyOf(outcome);
    if (settled === undefined) return;
    total -= settled;
    setText(said, `${count(settled)} ${DONE[deed]}.`);
    // What was pressed may be gone with its letter: the keyboard's reader goes on from here.
    said.focus();
    selectShown.checked = false;
    await read();
    changed();
  }

  async function takeHome() {
    const blob = bodyOf(await relay().everyLetter());
    if (blob === undefined) return;
    const href = URL.createObjectURL(blob);
    element('a', { href, download: 'dead-letters.ndjson' }).click();
    setTimeout(() => URL.revokeObjectURL(href), DOWNLOAD_MS);
    setText(said, `${counted(total, 'dead letter')} exported.`);
  }

  /**
   * @template Body
   * @param {Outcome<Body>} outcome
   * @returns {Body | undefined}
   */
  function bodyOf(outcome) {
    if (outcome.kind === 'ok') return outcome.body;
    if (outcome.kind === 'no_door') noDoor();
    else setText(said, `That did not work. ${outcome.why}`);
    return undefined;
  }

  function showPage() {
    draw(page.letters);
    more.hidden = page.next === null;
    showCounts();
  }

  function showCounts() {
    find('letters-none', HTMLElement).hidden = total > 0 || page.letters.length > 0;
    find('letters-tools', HTMLElement).hidden = total === 0 && page.letters.length === 0;
    const shown = page.letters.length < total ? `, the first ${count(page.letters.length)} shown` : '';
    setText(find('letters-count', HTMLElement), total === 0 ? '' : `${count(total)}${shown}`);
    setText(find('replay-all', HTMLButtonElement), `Replay all ${count(total)}`);
    setText(find('discard-all', HTMLButtonElement), `Discard all ${count(total)}`);
    showSelection();
  }

  function showSelection() {
    const selected = selectedIds().length;
    for (const [deed, word] of [
      ['replay', 'Replay'],
      ['discard', 'Discard'],
    ]) {
      const button = find(`${deed}-selected`, HTMLButtonElement);
      button.disabled = selected === 0;
      setText(button, selected === 0 ? `${word} selected` : `${word} ${count(selected)} selected`);
    }
    selectShown.checked = selected > 0 && selected === page.letters.length;
    selectShown.indeterminate = selected > 0 && selected < page.letters.length;
  }

  /** @returns {HTMLInputElement[]} */
  function boxes() {
    return [...list.querySelectorAll('input')];
  }

  function selectedIds() {
    return boxes()
      .filter(({ checked }) => checked)
      .map(({ value }) => value);
  }
}

/** @param {string} which */
const sureToDiscard = (which) =>
  sure(
    `Discard ${which}?`,
    'It cannot be undone. Export first what you may want to look at later.',
    'Discard',
  );
