import { element, find } from '../../dist/modules/ui/dom.js';
import { identify, identifyAgain, reset, track } from './calls.js';
import { PEOPLE, personById } from './people.js';

const KEPT_AS = 'demo-person';
const person = find('#person');
const signOut = find('#sign-out');

/** Signing in and out. Whoever was signed in still is after a reload. */
export function startVisitor() {
  const options = PEOPLE.map(({ userId, profile }) =>
    element('option', { value: userId }, `${profile.firstName} ${profile.lastName}`),
  );
  person.append(element('option', { value: '' }, 'Sign in as …'), ...options);
  person.addEventListener('change', () => (person.value === '' ? leave() : enter(personById(person.value))));
  signOut.addEventListener('click', leave);

  const kept = personById(localStorage.getItem(KEPT_AS));
  show(kept);
  if (kept !== undefined) void identifyAgain(kept);
}

function enter(someone) {
  localStorage.setItem(KEPT_AS, someone.userId);
  show(someone);
  void identify(someone);
  void track('Signed In', { Method: 'Picked from a list', Remembered: true });
}

function leave() {
  localStorage.removeItem(KEPT_AS);
  show(undefined);
  void track('Signed Out');
  void reset();
}

function show(someone) {
  person.value = someone?.userId ?? '';
  signOut.hidden = someone === undefined;
}
