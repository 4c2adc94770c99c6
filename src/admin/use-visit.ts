import { useEffect, useMemo, useState } from 'preact/hooks';
import { createPoll } from '../ui/poll.ts';
import { createClient } from './client.ts';
import { heard, signedOut, signingIn, type Visit } from './visit.ts';

// In the tab's own storage: gone with the tab, and never on disk for the next one.
const TOKEN_KEY = 'webengage-relay operator token';

// What a header can carry: `fetch` throws for the rest, as if the network were gone.
const SENDABLE = /^[\x20-\x7e]+$/;

const VISIBLE_MS = 2_000;
const HIDDEN_MS = 10_000;

type VisitControls = {
  readonly visit: Visit;
  readonly enter: (token: string) => void;
  /** Forgets the token, and all that it showed. */
  readonly leave: () => void;
  /** The relay has refused the present token. */
  readonly refuse: () => void;
  /** Asks the relay at once. */
  readonly refresh: () => void;
};

/** Keeps the token, and asks the relay for its status: every 2 s while the page is visible, every 10 s while it is hidden. */
export function useVisit(): VisitControls {
  const [visit, setVisit] = useState(() => {
    const token = sessionStorage.getItem(TOKEN_KEY);
    return token === null ? signedOut() : signingIn(createClient(token));
  });
  const { client } = visit;

  const poll = useMemo(
    () =>
      client &&
      createPoll(
        async () => {
          const outcome = await client.status();
          setVisit((current) => heard(current, client, outcome));
        },
        () => (document.hidden ? HIDDEN_MS : VISIBLE_MS),
      ),
    [client],
  );
  useEffect(() => {
    if (poll === undefined) return sessionStorage.removeItem(TOKEN_KEY);
    const onVisibility = () => {
      if (!document.hidden) poll.wake();
    };
    document.addEventListener('visibilitychange', onVisibility);
    poll.start();
    return () => {
      document.removeEventListener('visibilitychange', onVisibility);
      poll.stop();
    };
  }, [poll]);

  return {
    visit,
    enter: (token) => {
      if (!SENDABLE.test(token))
        return setVisit(signedOut('Enter a token of letters, digits and punctuation.'));
      sessionStorage.setItem(TOKEN_KEY, token);
      setVisit(signingIn(createClient(token)));
    },
    leave: () => setVisit(signedOut()),
    refuse: () =>
      setVisit((current) => (client ? heard(current, client, { kind: 'unauthorized' }) : current)),
    refresh: () => poll?.wake(),
  };
}
