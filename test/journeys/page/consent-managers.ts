// Managers whose scripts come from their own servers alone, played as their documents describe them: what a page sees of
// them, and no banner. `accept()` and `refuse()` are the visitor.

/**
 * OneTrust with an opt-in model. https://developer.onetrust.com/onetrust/docs/javascript-events-guide
 * The harder reading where that leaves one: groups are told only where they change, and before the banner counts as closed.
 */
export const ONETRUST = `(() => {
  const kept = (name) => localStorage.getItem('onetrust ' + name);
  const update = () => {
    OnetrustActiveGroups = ',' + (kept('groups') ?? 'C0001') + ',';
    const detail = OnetrustActiveGroups.split(',').filter(Boolean);
    dispatchEvent(new CustomEvent('OneTrustGroupsUpdated', { detail }));
  };
  const choose = (groups) => {
    const isChange = groups !== (kept('groups') ?? 'C0001');
    localStorage.setItem('onetrust groups', groups);
    if (isChange) update();
    localStorage.setItem('onetrust closed', '1');
    dispatchEvent(new Event('OTConsentApplied'));
  };
  OneTrust = { IsAlertBoxClosed: () => kept('closed') !== null };
  accept = () => choose('C0001,C0002,C0003');
  refuse = () => choose('C0001');
  update();
})()`;

/** Cookiebot. https://www.cookiebot.com/en/developer/ */
export const COOKIEBOT = `(() => {
  const KEY = 'cookiebot statistics';
  Cookiebot = {
    get hasResponse() {
      return localStorage.getItem(KEY) !== null;
    },
    get consent() {
      return { necessary: true, preferences: false, statistics: localStorage.getItem(KEY) === 'true', marketing: false };
    },
  };
  const tell = () => {
    dispatchEvent(new Event('CookiebotOnConsentReady'));
    dispatchEvent(new Event(Cookiebot.consent.statistics ? 'CookiebotOnAccept' : 'CookiebotOnDecline'));
  };
  const choose = (statistics) => {
    localStorage.setItem(KEY, statistics);
    tell();
  };
  accept = () => choose(true);
  refuse = () => choose(false);
  if (Cookiebot.hasResponse) tell();
})()`;
