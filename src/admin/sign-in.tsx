import type { JSX } from 'preact';
import { useLayoutEffect, useRef } from 'preact/hooks';
import { Prose } from './prose.tsx';

type SignInProps = {
  readonly message: string;
  /** Whether a token is being tried. */
  readonly isTrying: boolean;
  readonly enter: (token: string) => void;
};

/** Asks for the operator's token. */
export function SignIn({ message, isTrying, enter }: SignInProps): JSX.Element {
  const field = useRef<HTMLInputElement>(null);

  useLayoutEffect(() => {
    if (isTrying || field.current === null) return;
    field.current.value = '';
    field.current.focus();
  }, [isTrying]);

  return (
    <main id="sign-in" class="sign-in">
      <form
        class="enter panel"
        onSubmit={(event) => {
          event.preventDefault();
          enter(field.current?.value.trim() ?? '');
        }}
      >
        <h2>Admin page</h2>
        <label for="token">The operator’s token (ADMIN_TOKEN)</label>
        <div class="field">
          <input
            ref={field}
            id="token"
            type="password"
            autocomplete="off"
            spellcheck={false}
            autocapitalize="none"
            required
          />
          <button type="submit" class="primary">
            Open
          </button>
        </div>
        <p class="small">Kept in this tab only, until you close it.</p>
        <p id="refused" class="refused" role="alert">
          <Prose text={message} />
        </p>
      </form>
    </main>
  );
}
