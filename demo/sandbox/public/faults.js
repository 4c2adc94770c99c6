import { find, setText } from './element.js';

const MEANINGS = {
  none: 'Takes every call that keeps its rules, and at most 500 of them in any 60 s.',
  down: 'Answers 503 without reading. The relay keeps everything, and tries the same batches again.',
  429: 'Says that the limit is reached. The relay pauses, for the whole account.',
  slow: 'Takes the records, and lets the answer wait.',
  cut: 'Takes the records, and breaks the answer off: the relay can’t know. The same x-request-id saves it.',
};

const buttons = document.querySelectorAll('[data-fault]');
const delay = find('#delay');
const success = find('#success');
const idempotency = find('#idempotency');

/** The orders for faults. `order` is given what is to change. */
export function startFaults(order) {
  const ordered = (change) =>
    order(change).catch(() => setText(find('#fault-meaning'), 'It did not take the order.'));

  for (const button of buttons)
    button.addEventListener('click', () => ordered({ fault: button.dataset.fault }));
  delay.addEventListener('change', () => {
    if (delay.reportValidity()) ordered({ delayMs: delay.valueAsNumber });
  });
  success.addEventListener('change', () => ordered({ success: Number(success.value) }));
  idempotency.addEventListener('change', () => ordered({ idempotency: idempotency.value }));
}

export function showControl(control) {
  for (const button of buttons)
    button.setAttribute('aria-pressed', String(button.dataset.fault === control.fault));
  setText(find('#fault-meaning'), MEANINGS[control.fault]);
  showValue(delay, control.delayMs);
  showValue(success, control.success);
  showValue(idempotency, control.idempotency);
}

// Not under the fingers of whoever is changing it.
function showValue(field, value) {
  if (document.activeElement !== field) field.value = String(value);
}
