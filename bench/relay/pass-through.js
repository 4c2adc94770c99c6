// The baseline for the relay: the least a Worker can do that keeps the key out of the page. Each request makes one
// call to WebEngage and waits for its answer. Nothing is checked or stored. workerd runs this file without a build.
export default {
  async fetch(request, { WEBENGAGE_HOST, WEBENGAGE_LICENSE_CODE, WEBENGAGE_API_KEY }) {
    const answer = await fetch(`${WEBENGAGE_HOST}/v1/accounts/${WEBENGAGE_LICENSE_CODE}/bulk-events`, {
      method: 'POST',
      headers: { Authorization: `Bearer ${WEBENGAGE_API_KEY}`, 'Content-Type': 'application/json' },
      body: request.body,
    });
    return new Response(answer.body, { status: answer.status });
  },
};
