// In the tab's own storage: closed with the tab, and never on disk for the next one.
const KEPT_AS = 'webengage-relay operator token';

export const keptToken = () => sessionStorage.getItem(KEPT_AS);

/** @param {string} token */
export const keepToken = (token) => sessionStorage.setItem(KEPT_AS, token);

export const forgetToken = () => sessionStorage.removeItem(KEPT_AS);
