import { find, setText } from './element.js';

/**
 * Asks the operator; true for yes. Escape and the first button are no.
 *
 * @param {string} question
 * @param {string} consequence
 * @param {string} yes The button's word: what will be done.
 * @returns {Promise<boolean>}
 */
export function sure(question, consequence, yes) {
  const dialog = find('sure', HTMLDialogElement);
  const confirm = find('sure-yes', HTMLButtonElement);
  setText(find('sure-question', HTMLElement), question);
  setText(find('sure-consequence', HTMLElement), consequence);
  setText(confirm, yes);
  dialog.returnValue = 'no';
  confirm.onclick = () => dialog.close('yes');
  find('sure-no', HTMLButtonElement).onclick = () => dialog.close('no');
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener('close', () => resolve(dialog.returnValue === 'yes'), { once: true });
  });
}
