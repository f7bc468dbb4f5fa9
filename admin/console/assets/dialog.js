// What the dialogs share. The browser keeps the focus inside a modal dialog and gives
// it back when it closes.

import { byId, showProblem } from './dom.js';
import { SignedOut } from './api.js';

// formDialog makes a dialog with a form that submits at most one request at a time,
// and shows what became of it. The dialog closes when submit returns.
export function formDialog(id, submit) {
  const dialog = byId(id);
  const form = dialog.querySelector('form');
  const problems = form.querySelector('[role=alert]');
  let busy = false;
  form.addEventListener('submit', async (event) => {
    event.preventDefault();
    if (busy) return;
    busy = true;
    form.setAttribute('aria-busy', 'true');
    showProblem(problems, null);
    try {
      await submit(form);
    } catch (failure) {
      if (!(failure instanceof SignedOut)) showProblem(problems, failure);
    } finally {
      busy = false;
      form.removeAttribute('aria-busy');
    }
  });
  // While a request runs the dialog stays: its answer has to be seen.
  for (const button of form.querySelectorAll('[data-close]')) button.addEventListener('click', () => busy || dialog.close());
  dialog.addEventListener('cancel', (event) => busy && event.preventDefault());
  dialog.addEventListener('close', () => {
    form.reset();
    showProblem(problems, null);
  });
  return dialog;
}

// words splits what was written with spaces or commas between.
export const words = (text) => text.split(/[\s,]+/).filter(Boolean);

// moment reads an input of type datetime-local; undefined where it is empty.
export function moment(input) {
  if (input.validity.badInput) throw new Error('This is not a date and time.');
  return input.value ? new Date(input.value).toISOString() : undefined;
}

// offer fills the fields of a scheme, and says in the dialog where the schemes cannot be
// had.
export async function offer(dialog, fields) {
  try {
    await fields.offer();
  } catch (failure) {
    if (!(failure instanceof SignedOut) && dialog.open) showProblem(dialog.querySelector('[role=alert]'), failure);
  }
}
