import type { JSX } from 'preact';
import { useLayoutEffect, useRef, useState } from 'preact/hooks';

export type Question = {
  readonly question: string;
  readonly consequence: string;
  /** What the button says that does it. */
  readonly yes: string;
};

type OpenQuestion = Question & { readonly resolve: (isConfirmed: boolean) => void };

/**
 * Asks the operator before something is done: `confirm` resolves to true for yes. Escape and the first button mean no.
 * The dialog has to be rendered.
 */
export function useConfirm(): {
  readonly confirm: (question: Question) => Promise<boolean>;
  readonly dialog: JSX.Element;
} {
  const element = useRef<HTMLDialogElement>(null);
  const [open, setOpen] = useState<OpenQuestion>();
  const close = (answer: 'yes' | 'no') => element.current?.close(answer);

  useLayoutEffect(() => {
    if (open === undefined || element.current === null) return;
    // Escape leaves it as it is.
    element.current.returnValue = 'no';
    element.current.showModal();
  }, [open]);

  return {
    confirm: (question) => new Promise((resolve) => setOpen({ ...question, resolve })),
    dialog: (
      <dialog
        ref={element}
        aria-labelledby="confirm-question"
        aria-describedby="confirm-consequence"
        onClose={({ currentTarget }) => open?.resolve(currentTarget.returnValue === 'yes')}
      >
        <h2 id="confirm-question">{open?.question}</h2>
        <p id="confirm-consequence">{open?.consequence}</p>
        <div class="choices">
          <button type="button" autofocus onClick={() => close('no')}>
            No
          </button>
          <button type="button" class="primary" onClick={() => close('yes')}>
            {open?.yes}
          </button>
        </div>
      </dialog>
    ),
  };
}
