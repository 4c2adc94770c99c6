/** A session of a WebDriver server, by the protocol's own words: https://www.w3.org/TR/webdriver2/ */
export type WebDriverSession = {
  /** Asks one thing of the session; rejects with the server's own words. `path`: as `/window/new`. */
  readonly ask: <Answer>(method: 'GET' | 'POST' | 'DELETE', path: string, body?: object) => Promise<Answer>;
};

async function call<Answer>(url: string, method: string, body: object | undefined): Promise<Answer> {
  const answer = await fetch(url, { method, ...(body !== undefined && { body: JSON.stringify(body) }) });
  const { value } = await answer.json();
  if (!answer.ok) throw new Error(`${value.error}: ${value.message}`);
  return value;
}

export async function startSession(server: string, capabilities: object): Promise<WebDriverSession> {
  const { sessionId } = await call<{ readonly sessionId: string }>(`${server}/session`, 'POST', {
    capabilities: { alwaysMatch: capabilities },
  });
  return {
    // The protocol wants a body of every POST.
    ask: (method, path, body = method === 'POST' ? {} : undefined) =>
      call(`${server}/session/${sessionId}${path}`, method, body),
  };
}
