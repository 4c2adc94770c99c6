___TERMS_OF_SERVICE___

By creating or modifying this file you agree to Google Tag Manager's Community
Template Gallery Developer Terms of Service available at
https://developers.google.com/tag-manager/gallery-tos (or such other URL as
Google may provide), as modified from time to time.


___INFO___

{
  "type": "TAG",
  "id": "cvt_temp_public_id",
  "version": 1,
  "securityGroups": [],
  "displayName": "WebEngage Relay",
  "categories": ["ANALYTICS", "MARKETING"],
  "brand": {"id": "brand_dummy", "displayName": ""},
  "description": "Tracks users and events for WebEngage through your own webengage-relay: tracker, identify, events, page views, Consent Mode and ecommerce.",
  "containerContexts": ["WEB"]
}


___TEMPLATE_PARAMETERS___

[
  {
    "type": "SELECT",
    "name": "tagType",
    "displayName": "Tag type",
    "macrosInSelect": false,
    "selectItems": [
      {"value": "initialize", "displayValue": "Initialize: load the tracker"},
      {"value": "identify", "displayValue": "Identify a visitor"},
      {"value": "track", "displayValue": "Track an event"},
      {"value": "pageView", "displayValue": "Page view"},
      {"value": "ecommerce", "displayValue": "Ecommerce event from the data layer"},
      {"value": "reset", "displayValue": "Sign out"},
      {"value": "optIn", "displayValue": "Opt in: the visitor consents"},
      {"value": "optOut", "displayValue": "Opt out: the visitor refuses"}
    ],
    "simpleValueType": true,
    "defaultValue": "initialize",
    "alwaysInSummary": true
  },
  {
    "type": "TEXT",
    "name": "relayUrl",
    "displayName": "Relay URL",
    "simpleValueType": true,
    "valueHint": "https://t.example.com",
    "help": "The address of your relay, without a path. The tag loads the tracker from there.",
    "enablingConditions": [{"paramName": "tagType", "paramValue": "initialize", "type": "EQUALS"}],
    "valueValidators": [
      {"type": "NON_EMPTY"},
      {
        "type": "REGEX",
        "args": ["^(https://[^/?#@\\s]+/?|\\{\\{.+\\}\\})$"],
        "errorMessage": "An https address without a path"
      }
    ]
  },
  {
    "type": "SELECT",
    "name": "script",
    "displayName": "Script",
    "macrosInSelect": false,
    "simpleValueType": true,
    "defaultValue": "tracker.full.js",
    "selectItems": [
      {
        "value": "tracker.full.js",
        "displayValue": "tracker.full.js: with consent, identity tokens and checks"
      },
      {"value": "tracker.js", "displayValue": "tracker.js: the core"}
    ],
    "enablingConditions": [{"paramName": "tagType", "paramValue": "initialize", "type": "EQUALS"}]
  },
  {
    "type": "SELECT",
    "name": "consent",
    "displayName": "Consent",
    "macrosInSelect": false,
    "simpleValueType": true,
    "defaultValue": "mode",
    "help": "Until the visitor has consented, the tracker stores and sends nothing.",
    "selectItems": [
      {"value": "mode", "displayValue": "By Google's Consent Mode"},
      {"value": "pending", "displayValue": "Wait for an opt-in, by a tag or by the page"},
      {"value": "granted", "displayValue": "Do not wait: track at once"}
    ],
    "enablingConditions": [{"paramName": "tagType", "paramValue": "initialize", "type": "EQUALS"}],
    "subParams": [
      {
        "type": "SELECT",
        "name": "consentType",
        "displayName": "Consent type",
        "macrosInSelect": false,
        "simpleValueType": true,
        "defaultValue": "analytics_storage",
        "help": "Set its default before Tag Manager loads. A type without a default counts as granted.",
        "selectItems": [
          {"value": "ad_personalization", "displayValue": "ad_personalization"},
          {"value": "ad_storage", "displayValue": "ad_storage"},
          {"value": "ad_user_data", "displayValue": "ad_user_data"},
          {"value": "analytics_storage", "displayValue": "analytics_storage"},
          {"value": "functionality_storage", "displayValue": "functionality_storage"},
          {"value": "personalization_storage", "displayValue": "personalization_storage"},
          {"value": "security_storage", "displayValue": "security_storage"}
        ],
        "enablingConditions": [{"paramName": "consent", "paramValue": "mode", "type": "EQUALS"}]
      }
    ]
  },
  {
    "type": "SIMPLE_TABLE",
    "name": "options",
    "displayName": "Options",
    "newRowButtonText": "Add option",
    "enablingConditions": [{"paramName": "tagType", "paramValue": "initialize", "type": "EQUALS"}],
    "simpleTableColumns": [
      {
        "name": "name",
        "displayName": "Option",
        "type": "SELECT",
        "defaultValue": "debug",
        "isUnique": true,
        "selectItems": [
          {"value": "batchSize", "displayValue": "batchSize"},
          {"value": "maxWaitMs", "displayValue": "maxWaitMs"},
          {"value": "requestsPerMinute", "displayValue": "requestsPerMinute"},
          {"value": "burst", "displayValue": "burst"},
          {"value": "maxRecords", "displayValue": "maxRecords"},
          {"value": "maxAgeMs", "displayValue": "maxAgeMs"},
          {"value": "skipRepeatedIdentify", "displayValue": "skipRepeatedIdentify"},
          {"value": "backgroundSync", "displayValue": "backgroundSync"},
          {"value": "respectGpc", "displayValue": "respectGpc"},
          {"value": "strict", "displayValue": "strict"},
          {"value": "debug", "displayValue": "debug"}
        ]
      },
      {
        "name": "value",
        "displayName": "Value",
        "type": "TEXT",
        "defaultValue": "",
        "isUnique": false,
        "valueValidators": [{"type": "NON_EMPTY"}]
      }
    ]
  },
  {
    "type": "TEXT",
    "name": "userId",
    "displayName": "User id",
    "simpleValueType": true,
    "valueHint": "{{User id}}",
    "help": "The id by which your servers know the user. Leave it empty to describe the current visitor without changing who it is.",
    "enablingConditions": [{"paramName": "tagType", "paramValue": "identify", "type": "EQUALS"}]
  },
  {
    "type": "SIMPLE_TABLE",
    "name": "profile",
    "displayName": "Profile",
    "newRowButtonText": "Add field",
    "enablingConditions": [{"paramName": "tagType", "paramValue": "identify", "type": "EQUALS"}],
    "simpleTableColumns": [
      {
        "name": "name",
        "displayName": "Field",
        "type": "SELECT",
        "defaultValue": "email",
        "isUnique": true,
        "selectItems": [
          {"value": "firstName", "displayValue": "firstName"},
          {"value": "lastName", "displayValue": "lastName"},
          {"value": "birthDate", "displayValue": "birthDate"},
          {"value": "gender", "displayValue": "gender"},
          {"value": "email", "displayValue": "email"},
          {"value": "phone", "displayValue": "phone"},
          {"value": "company", "displayValue": "company"},
          {"value": "emailOptIn", "displayValue": "emailOptIn"},
          {"value": "smsOptIn", "displayValue": "smsOptIn"},
          {"value": "whatsappOptIn", "displayValue": "whatsappOptIn"},
          {"value": "rcsOptIn", "displayValue": "rcsOptIn"},
          {"value": "hashedEmail", "displayValue": "hashedEmail"},
          {"value": "hashedPhone", "displayValue": "hashedPhone"}
        ]
      },
      {"name": "value", "displayName": "Value", "type": "TEXT", "defaultValue": "", "isUnique": false}
    ]
  },
  {
    "type": "SIMPLE_TABLE",
    "name": "attributes",
    "displayName": "Attributes of your own",
    "newRowButtonText": "Add attribute",
    "enablingConditions": [{"paramName": "tagType", "paramValue": "identify", "type": "EQUALS"}],
    "simpleTableColumns": [
      {
        "name": "name",
        "displayName": "Name",
        "type": "TEXT",
        "defaultValue": "",
        "isUnique": true,
        "valueValidators": [{"type": "NON_EMPTY"}, {"type": "STRING_LENGTH", "args": [1, 49]}]
      },
      {"name": "value", "displayName": "Value", "type": "TEXT", "defaultValue": "", "isUnique": false},
      {
        "name": "type",
        "displayName": "Type",
        "type": "SELECT",
        "defaultValue": "given",
        "selectItems": [
          {"value": "given", "displayValue": "As it is"},
          {"value": "text", "displayValue": "Text"},
          {"value": "number", "displayValue": "Number"},
          {"value": "boolean", "displayValue": "True or false"},
          {"value": "date", "displayValue": "Date"}
        ],
        "isUnique": false
      }
    ]
  },
  {
    "type": "TEXT",
    "name": "eventName",
    "displayName": "Event name",
    "simpleValueType": true,
    "valueHint": "Video Watched",
    "enablingConditions": [{"paramName": "tagType", "paramValue": "track", "type": "EQUALS"}],
    "valueValidators": [{"type": "NON_EMPTY"}]
  },
  {
    "type": "SIMPLE_TABLE",
    "name": "eventNames",
    "displayName": "Other event names",
    "newRowButtonText": "Add name",
    "help": "For an account that has other names for these events.",
    "enablingConditions": [{"paramName": "tagType", "paramValue": "ecommerce", "type": "EQUALS"}],
    "simpleTableColumns": [
      {
        "name": "event",
        "displayName": "Event of the data layer",
        "type": "SELECT",
        "defaultValue": "purchase",
        "isUnique": true,
        "selectItems": [
          {"value": "view_item", "displayValue": "view_item"},
          {"value": "view_item_list", "displayValue": "view_item_list"},
          {"value": "select_item", "displayValue": "select_item"},
          {"value": "add_to_cart", "displayValue": "add_to_cart"},
          {"value": "remove_from_cart", "displayValue": "remove_from_cart"},
          {"value": "add_to_wishlist", "displayValue": "add_to_wishlist"},
          {"value": "view_cart", "displayValue": "view_cart"},
          {"value": "begin_checkout", "displayValue": "begin_checkout"},
          {"value": "add_shipping_info", "displayValue": "add_shipping_info"},
          {"value": "add_payment_info", "displayValue": "add_payment_info"},
          {"value": "purchase", "displayValue": "purchase"},
          {"value": "refund", "displayValue": "refund"},
          {"value": "view_promotion", "displayValue": "view_promotion"},
          {"value": "select_promotion", "displayValue": "select_promotion"}
        ]
      },
      {
        "name": "name",
        "displayName": "Name at WebEngage",
        "type": "TEXT",
        "defaultValue": "",
        "isUnique": false,
        "valueValidators": [{"type": "NON_EMPTY"}, {"type": "STRING_LENGTH", "args": [1, 49]}]
      }
    ]
  },
  {
    "type": "SIMPLE_TABLE",
    "name": "properties",
    "displayName": "Properties",
    "newRowButtonText": "Add property",
    "enablingConditions": [
      {"paramName": "tagType", "paramValue": "track", "type": "EQUALS"},
      {"paramName": "tagType", "paramValue": "pageView", "type": "EQUALS"},
      {"paramName": "tagType", "paramValue": "ecommerce", "type": "EQUALS"}
    ],
    "simpleTableColumns": [
      {
        "name": "name",
        "displayName": "Name",
        "type": "TEXT",
        "defaultValue": "",
        "isUnique": true,
        "valueValidators": [{"type": "NON_EMPTY"}, {"type": "STRING_LENGTH", "args": [1, 49]}]
      },
      {"name": "value", "displayName": "Value", "type": "TEXT", "defaultValue": "", "isUnique": false},
      {
        "name": "type",
        "displayName": "Type",
        "type": "SELECT",
        "defaultValue": "given",
        "selectItems": [
          {"value": "given", "displayValue": "As it is"},
          {"value": "text", "displayValue": "Text"},
          {"value": "number", "displayValue": "Number"},
          {"value": "boolean", "displayValue": "True or false"},
          {"value": "date", "displayValue": "Date"}
        ],
        "isUnique": false
      }
    ]
  }
]


___SANDBOXED_JS_FOR_WEB_TEMPLATE___

// Sandboxed JavaScript of Google Tag Manager: ES5.1 with const, let and arrow functions; no `new`, `this` or `try`.
// https://developers.google.com/tag-platform/tag-manager/templates/sandboxed-javascript
const Object = require('Object');
const addConsentListener = require('addConsentListener');
const callInWindow = require('callInWindow');
const copyFromDataLayer = require('copyFromDataLayer');
const copyFromWindow = require('copyFromWindow');
const createQueue = require('createQueue');
const encodeUriComponent = require('encodeUriComponent');
const getQueryParameters = require('getQueryParameters');
const getReferrerUrl = require('getReferrerUrl');
const getTimestampMillis = require('getTimestampMillis');
const getType = require('getType');
const getUrl = require('getUrl');
const injectScript = require('injectScript');
const isConsentGranted = require('isConsentGranted');
const logToConsole = require('logToConsole');
const makeNumber = require('makeNumber');
const makeString = require('makeString');
const readTitle = require('readTitle');
const setInWindow = require('setInWindow');
const templateStorage = require('templateStorage');

const log = (message) => {
  logToConsole('WebEngage Relay tag: ' + message);
};

const fail = (message) => {
  log(message);
  data.gtmOnFailure();
};

// ---- Values, by WebEngage's rules. A value that has no place there is undefined.

// "Less than 50 characters", "less than 1,000 characters", 25 of a type: https://docs.webengage.com/docs/events
const MAX_NAME_LENGTH = 49;
const MAX_TEXT_LENGTH = 999;
const MAX_PER_TYPE = 25;

// Not WebEngage's: bounds for a page's own data, which may be of any size.
const MAX_DEPTH = 6;
const MAX_ENTRIES = 100;

const isDefined = (value) => getType(value) !== 'undefined';

// It encodes no half of a surrogate pair.
const isWellFormed = (text) => isDefined(encodeUriComponent(text));

const isFinite = (number) => number - number === 0;

const toTrimmed = (value) =>
  getType(value) === 'string' || getType(value) === 'number' ? makeString(value).trim() : '';

const cut = (text) => {
  const most = text.slice(0, MAX_TEXT_LENGTH);
  if (isWellFormed(most)) return most;
  // The cut may have parted a pair.
  const less = text.slice(0, MAX_TEXT_LENGTH - 1);
  return text.length > MAX_TEXT_LENGTH && isWellFormed(less) ? less : undefined;
};

const toText = (value) => {
  const type = getType(value);
  if (type === 'number' && !isFinite(value)) return undefined;
  if (type !== 'string' && type !== 'number' && type !== 'boolean') return undefined;
  return cut(makeString(value)) || undefined;
};

const toNumber = (value) => {
  if (toTrimmed(value) === '') return undefined;
  const number = makeNumber(value);
  return isFinite(number) ? number : undefined;
};

const toFlag = (value) => {
  if (value === true || value === 'true') return true;
  return value === false || value === 'false' ? false : undefined;
};

// Whether a text has digits where the form has zeros, and the form's own characters elsewhere.
const hasForm = (text, form) =>
  text.length === form.length &&
  text.split('').filter((character, at) => {
    const expected = form.charAt(at);
    return expected === '0' ? '0123456789'.indexOf(character) < 0 : character !== expected;
  }).length === 0;

const isDay = (text) => {
  if (!hasForm(text, '0000-00-00')) return false;
  const year = makeNumber(text.slice(0, 4));
  const month = makeNumber(text.slice(5, 7));
  const day = makeNumber(text.slice(8));
  const isLeap = (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0;
  const days = [31, isLeap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
  return month >= 1 && month <= 12 && day >= 1 && day <= days[month - 1];
};

const isTime = (text) =>
  hasForm(text, '00:00:00') &&
  makeNumber(text.slice(0, 2)) < 24 &&
  makeNumber(text.slice(3, 5)) < 60 &&
  makeNumber(text.slice(6)) < 60;

// What follows the seconds, as +0100: `Z`, `+01:00` or `+0100`.
const toOffset = (text) => {
  if (text === 'Z') return '+0000';
  const sign = text.charAt(0);
  const digits = text.slice(1).split(':').join('');
  if ((sign !== '+' && sign !== '-') || !hasForm(digits, '0000')) return undefined;
  return makeNumber(digits.slice(0, 2)) < 18 && makeNumber(digits.slice(2)) < 60 ? sign + digits : undefined;
};

// A fraction of a second goes: `.123Z` is `Z`.
const withoutFraction = (text) => {
  if (text.charAt(0) !== '.') return text;
  const rest = text.slice(1).split('');
  while (rest.length > 0 && '0123456789'.indexOf(rest[0]) >= 0) rest.shift();
  return rest.join('');
};

// An ISO 8601 date in WebEngage's form, as 2018-09-15T18:29:00-0800. A day is its noon in UTC: the same day in nearly every zone.
const toDate = (value) => {
  const text = toTrimmed(value);
  const day = text.slice(0, 10);
  if (!isDay(day)) return undefined;
  if (text.length === 10) return day + 'T12:00:00+0000';
  const time = text.slice(11, 19);
  const offset = toOffset(withoutFraction(text.slice(19)));
  if (text.charAt(10) !== 'T' || !isTime(time) || !isDefined(offset)) return undefined;
  return day + 'T' + time + offset;
};

const isKey = (name) => name !== '__proto__' && name.length <= MAX_TEXT_LENGTH && isWellFormed(name);

// A value with its own type, and what it contains.
const toPlain = (value, depth) => {
  const type = getType(value);
  if (type === 'string') return cut(value);
  if (type === 'number') return isFinite(value) ? value : undefined;
  if (type === 'boolean') return value;
  if (depth >= MAX_DEPTH) return undefined;
  if (type === 'array')
    return value
      .slice(0, MAX_ENTRIES)
      .map((item) => toPlain(item, depth + 1))
      .filter(isDefined);
  if (type !== 'object') return undefined;
  const plain = {};
  Object.keys(value)
    .slice(0, MAX_ENTRIES)
    .filter(isKey)
    .forEach((name) => {
      const inner = toPlain(value[name], depth + 1);
      if (isDefined(inner)) plain[name] = inner;
    });
  return plain;
};

const toType = (type, value) => {
  if (type === 'text') return toText(value);
  if (type === 'number') return toNumber(value);
  if (type === 'boolean') return toFlag(value);
  if (type === 'date') return toDate(value);
  return value === '' ? undefined : toPlain(value, 0);
};

const isName = (name) =>
  getType(name) === 'string' &&
  name !== '' &&
  name.length <= MAX_NAME_LENGTH &&
  name.indexOf('we_') !== 0 &&
  isKey(name);

// WebEngage's own events: https://docs.webengage.com/docs/events
const SYSTEM_EVENTS = [
  'app_installed',
  'app_uninstalled',
  'app_upgraded',
  'app_crashed',
  'user_logged_in',
  'user_logged_out',
  'user_session_started',
  'notification_click',
];

const isEventName = (name) =>
  isName(name) &&
  name.indexOf('email_') !== 0 &&
  name.indexOf('sms_') !== 0 &&
  SYSTEM_EVENTS.indexOf(name) < 0;

// Pairs of name and value as attributes. Of one name the last counts.
const toAttributes = (pairs) => {
  const merged = {};
  pairs
    .filter((pair) => isDefined(pair[1]))
    .forEach((pair) => {
      if (isName(pair[0])) merged[pair[0]] = pair[1];
      else log('left out an attribute: its name must have 1 to 49 characters and not start with we_');
    });
  const attributes = {};
  const counts = {};
  Object.keys(merged).forEach((name) => {
    const type = getType(merged[name]);
    counts[type] = (counts[type] || 0) + 1;
    if (counts[type] <= MAX_PER_TYPE) attributes[name] = merged[name];
    else log('left out ' + name + ': at most 25 attributes of type ' + type);
  });
  return attributes;
};

const rowsOf = (table) =>
  getType(table) === 'array' ? table.filter((row) => getType(row) === 'object') : [];

const pairsOf = (table) =>
  rowsOf(table).map((row) => {
    const value = toType(row.type, row.value);
    const wasGiven = isDefined(row.value) && row.value !== null && row.value !== '';
    if (wasGiven && !isDefined(value)) log('left out ' + makeString(row.name) + ': it is no ' + makeString(row.type));
    return [toTrimmed(row.name), value];
  });

// ---- The tracker in the page, or the queue that it takes over.

const hasStarted = () => getType(copyFromWindow('webengageRelay.createTracker')) === 'function';

// A tracker from npm, made by the page's own code. A stub has a queue.
const hasOtherTracker = () =>
  getType(copyFromWindow('webengageRelay.track')) === 'function' &&
  getType(copyFromWindow('webengageRelay.queue')) !== 'array';

// The page's stub gives each call a promise. Nobody awaits a tag's.
const nobodyWaits = () => {};

const send = (method, first, second) => {
  // A stub or a tracker.
  if (getType(copyFromWindow('webengageRelay.track')) === 'function') {
    const path = 'webengageRelay.' + method;
    if (isDefined(second)) callInWindow(path, first, second);
    else if (isDefined(first)) callInWindow(path, first);
    else callInWindow(path);
    return;
  }
  setInWindow('webengageRelay', {}, false);
  const push = createQueue('webengageRelay.queue');
  push([method, [first, second].filter(isDefined), getTimestampMillis(), nobodyWaits, nobodyWaits]);
};

const succeed = () => {
  data.gtmOnSuccess();
};

const sendAndSucceed = (method, first, second) => {
  send(method, first, second);
  succeed();
};

// ---- Initialize

const NUMBERS = ['batchSize', 'maxWaitMs', 'requestsPerMinute', 'burst', 'maxRecords', 'maxAgeMs'];
const FLAGS = ['skipRepeatedIdentify', 'backgroundSync', 'respectGpc', 'strict'];

const toOption = (name, value) => {
  if (NUMBERS.indexOf(name) >= 0) return toNumber(value);
  if (FLAGS.indexOf(name) >= 0) return toFlag(value);
  if (name === 'debug') return value === 'data' ? value : toFlag(value);
  return undefined;
};

// The address, without a slash at its end. Only its root: the template may load scripts from nowhere else.
const toRelayUrl = (value) => {
  const parts = toTrimmed(value).split('/');
  const isRoot = parts.length === 3 || (parts.length === 4 && parts[3] === '');
  const host = parts[2] || '';
  const strange = ['?', '#', '@', ' ', '\\', '{', '*'].filter((character) => host.indexOf(character) >= 0);
  if (parts[0] !== 'https:' || parts[1] !== '' || !isRoot || host === '' || strange.length > 0) return undefined;
  return 'https://' + host;
};

// The stricter of the tag's consent and the page's own. One that can't be read stays: the tracker refuses it.
const setConsentOnPage = (consent) => {
  const theirs = copyFromWindow('webengageRelay.options.consent');
  const isLaxer = !isDefined(theirs) || theirs === 'granted';
  if (consent === 'pending' && isLaxer) setInWindow('webengageRelay.options.consent', consent, true);
};

const followConsentMode = (type) => {
  if (isConsentGranted(type)) send('optIn');
  addConsentListener(type, (changed, granted) => {
    if (changed === type) send(granted === true ? 'optIn' : 'optOut');
  });
};

const load = (url) => {
  const onLoad = () => {
    if (hasStarted()) succeed();
    else fail('the tracker did not start: the console says why');
  };
  injectScript(url, onLoad, () => fail('could not load ' + url), url);
};

const CONSENT_TYPES = [
  'ad_personalization',
  'ad_storage',
  'ad_user_data',
  'analytics_storage',
  'functionality_storage',
  'personalization_storage',
  'security_storage',
];

const initialize = () => {
  const relayUrl = toRelayUrl(data.relayUrl);
  if (!isDefined(relayUrl)) return fail('the relay URL must be like https://t.example.com');
  const isFull = data.script !== 'tracker.js';
  const url = relayUrl + (isFull ? '/tracker.full.js' : '/tracker.js');
  // Another firing adds nothing: a second listener would undo a choice that the page has told the tracker since.
  if (templateStorage.getItem('started') === true) return load(url);
  // Its settings, consent above all, are no longer for a tag to make.
  if (hasStarted() || hasOtherTracker()) return fail('the page has started a tracker by itself');

  const options = { endpoint: relayUrl, consent: data.consent === 'granted' ? 'granted' : 'pending' };
  const rows = rowsOf(data.options);
  const wrong = rows.filter((row) => {
    const value = toOption(row.name, row.value);
    if (isDefined(value)) options[row.name] = value;
    return !isDefined(value);
  });
  if (wrong.length > 0) return fail('the option ' + makeString(wrong[0].name) + ' can not have this value');
  // tracker.js would refuse as well.
  if (!isFull && (options.consent !== 'granted' || options.respectGpc || options.strict))
    return fail('consent, respectGpc and strict need tracker.full.js');
  if (data.consent === 'mode' && CONSENT_TYPES.indexOf(data.consentType) < 0)
    return fail('the consent type is missing, or is not known');

  setInWindow('webengageRelay', {}, false);
  if (!setInWindow('webengageRelay.options', options, false)) {
    if (rows.length > 0) return fail('set the options in the tag or in the page, not in both');
    setConsentOnPage(options.consent);
  }
  templateStorage.setItem('started', true);
  if (data.consent === 'mode') followConsentMode(data.consentType);
  load(url);
};

// ---- Identify

const PROFILE_TEXTS = [
  'firstName',
  'lastName',
  'gender',
  'email',
  'phone',
  'company',
  'hashedEmail',
  'hashedPhone',
];
const PROFILE_FLAGS = ['emailOptIn', 'smsOptIn', 'whatsappOptIn', 'rcsOptIn'];

const toProfileField = (name, value) => {
  if (PROFILE_TEXTS.indexOf(name) >= 0) return toText(value);
  if (PROFILE_FLAGS.indexOf(name) >= 0) return toFlag(value);
  if (name === 'birthDate') return isDay(toTrimmed(value)) ? toTrimmed(value) : toDate(value);
  return undefined;
};

// The text that a variable leaves when nobody has signed in. As an id, all such visitors would be one user, for good.
const NO_USER_IDS = ['0', 'undefined', 'null', 'NaN', 'true', 'false', '[object Object]'];

const identify = () => {
  const userId = toTrimmed(data.userId);
  if (NO_USER_IDS.indexOf(userId) >= 0 || userId.length > 100 || !isWellFormed(userId))
    return fail('the user id must be text of 1 to 100 characters, and not undefined, null or 0');
  const profile = {};
  rowsOf(data.profile).forEach((row) => {
    const value = toProfileField(row.name, row.value);
    if (isDefined(value)) profile[row.name] = value;
    else log('left out ' + makeString(row.name) + ' of the profile');
  });
  const attributes = toAttributes(pairsOf(data.attributes));
  if (Object.keys(attributes).length > 0) profile.attributes = attributes;
  const isEmpty = Object.keys(profile).length === 0;
  if (userId !== '') return sendAndSucceed('identify', userId, isEmpty ? undefined : profile);
  if (isEmpty) return fail('there is neither a user id nor a profile');
  sendAndSucceed('identify', profile);
};

// ---- Track

const track = () => {
  const name = toTrimmed(data.eventName);
  if (!isEventName(name)) return fail('the event name must have 1 to 49 characters, and not be one of WebEngage\'s');
  sendAndSucceed('track', name, toAttributes(pairsOf(data.properties)));
};

// ---- Page view: as page-views.js does, no query, no hash, and of the parameters only those of a campaign.

const CAMPAIGN = [
  'utm_source',
  'utm_medium',
  'utm_campaign',
  'utm_term',
  'utm_content',
  'utm_id',
  'gclid',
  'gbraid',
  'wbraid',
  'fbclid',
  'msclkid',
  'ttclid',
];

const addressOf = (read) => {
  const host = toTrimmed(read('host'));
  if (host === '') return undefined;
  const port = toTrimmed(read('port'));
  const isUsual = port === '' || port === '80' || port === '443' || host.indexOf(':') >= 0;
  const protocol = toTrimmed(read('protocol')).split(':')[0];
  return protocol + '://' + host + (isUsual ? '' : ':' + port) + toTrimmed(read('path'));
};

const trackPageView = () => {
  const page = [
    ['URL', toText(addressOf(getUrl))],
    ['Path', toText(getUrl('path'))],
    ['Title', toText(readTitle())],
    ['Referrer', toText(addressOf(getReferrerUrl))],
  ];
  const campaign = CAMPAIGN.map((name) => [name, toText(getQueryParameters(name))]);
  sendAndSucceed('track', 'Page Viewed', toAttributes(page.concat(campaign, pairsOf(data.properties))));
};

// ---- Ecommerce: the events of Google Analytics 4 under WebEngage's names.

// Names from WebEngage's documents: https://docs.webengage.com/docs/shopify, https://docs.webengage.com/docs/web-tracking-events
// Its documents have no name for those marked "ours". `product`: an event for each product; otherwise one with all products.
const EVENTS = [
  { event: 'view_item', name: 'Product Viewed', product: true },
  { event: 'view_item_list', name: 'Category Viewed' },
  { event: 'select_item', name: 'Product Clicked', product: true }, // ours
  { event: 'add_to_cart', name: 'Added to Cart', product: true },
  { event: 'remove_from_cart', name: 'Removed From Cart', product: true },
  { event: 'add_to_wishlist', name: 'Added to Wishlist', product: true }, // ours
  { event: 'view_cart', name: 'Cart Viewed' },
  { event: 'begin_checkout', name: 'Checkout created' },
  { event: 'add_shipping_info', name: 'Shipping Info Added' }, // ours
  { event: 'add_payment_info', name: 'Payment Info Added' }, // ours
  { event: 'purchase', name: 'Order Completed' },
  { event: 'refund', name: 'Order Refunded' }, // ours
  { event: 'view_promotion', name: 'Promotion Viewed' }, // ours
  { event: 'select_promotion', name: 'Promotion Clicked' }, // ours
];

// Ids are text and amounts are numbers, always: WebEngage fixes the type of an attribute by its first value.
const SHARED_FIELDS = [
  { from: 'currency', to: 'Currency', as: toText },
  { from: 'item_list_id', to: 'List ID', as: toText },
  { from: 'item_list_name', to: 'List', as: toText },
  { from: 'promotion_id', to: 'Promotion ID', as: toText },
  { from: 'promotion_name', to: 'Promotion', as: toText },
];

const ORDER_FIELDS = [
  { from: 'transaction_id', to: 'Order ID', as: toText },
  { from: 'value', to: 'Total Price', as: toNumber },
  { from: 'tax', to: 'Tax', as: toNumber },
  { from: 'shipping', to: 'Shipping', as: toNumber },
  { from: 'coupon', to: 'Coupon Code', as: toText },
  { from: 'payment_type', to: 'Payment Type', as: toText },
  { from: 'shipping_tier', to: 'Shipping Tier', as: toText },
];

const PRODUCT_FIELDS = [
  { from: 'item_id', to: 'Product ID', as: toText },
  { from: 'item_name', to: 'Product', as: toText },
  { from: 'item_category', to: 'Category', as: toText },
  { from: 'item_category2', to: 'Category 2', as: toText },
  { from: 'item_category3', to: 'Category 3', as: toText },
  { from: 'item_category4', to: 'Category 4', as: toText },
  { from: 'item_category5', to: 'Category 5', as: toText },
  { from: 'item_brand', to: 'Brand', as: toText },
  { from: 'item_variant', to: 'Variant Title', as: toText },
  { from: 'price', to: 'Price', as: toNumber },
  { from: 'discount', to: 'Discount', as: toNumber },
  { from: 'quantity', to: 'Quantity', as: toNumber },
  { from: 'coupon', to: 'Coupon Code', as: toText },
];

// Those beyond are only counted: the relay takes 64 KB of arrays and objects in an event.
const MAX_PRODUCTS = 50;

const read = (source, fields) => fields.map((field) => [field.to, field.as(source[field.from])]);

const nameOf = (known) => {
  const renamed = rowsOf(data.eventNames).filter((row) => row.event === known.event);
  return renamed.length > 0 ? toTrimmed(renamed[renamed.length - 1].name) : known.name;
};

const trackEcommerce = () => {
  const event = copyFromDataLayer('event');
  const known = EVENTS.filter((each) => each.event === event)[0];
  if (!isDefined(known)) return fail('the event is no ecommerce event that has a name at WebEngage');
  const name = nameOf(known);
  if (!isEventName(name)) return fail('the event name must have 1 to 49 characters, and not be one of WebEngage\'s');
  const ecommerce = copyFromDataLayer('ecommerce');
  if (getType(ecommerce) !== 'object') return fail('the data layer has no ecommerce object');

  const items = rowsOf(ecommerce.items);
  const first = items.slice(0, MAX_PRODUCTS);
  const own = pairsOf(data.properties);
  const shared = read(ecommerce, SHARED_FIELDS);
  if (known.product && items.length > 0) {
    first.forEach((item) => {
      const product = read(item, SHARED_FIELDS).concat(read(item, PRODUCT_FIELDS));
      send('track', name, toAttributes(shared.concat(product, own)));
    });
    return succeed();
  }
  const products = first
    .map((item) => toAttributes(read(item, PRODUCT_FIELDS)))
    .filter((product) => Object.keys(product).length > 0);
  const all = [
    ['Products', products.length > 0 ? products : undefined],
    ['Number of Products', items.length > 0 ? items.length : undefined],
  ];
  sendAndSucceed('track', name, toAttributes(shared.concat(read(ecommerce, ORDER_FIELDS), all, own)));
};

// ---- The tag

if (data.tagType === 'initialize') initialize();
else if (data.tagType === 'identify') identify();
else if (data.tagType === 'track') track();
else if (data.tagType === 'pageView') trackPageView();
else if (data.tagType === 'ecommerce') trackEcommerce();
else if (data.tagType === 'reset') sendAndSucceed('reset');
else if (data.tagType === 'optIn') sendAndSucceed('optIn');
else if (data.tagType === 'optOut') sendAndSucceed('optOut');
else fail('the tag type is missing');


___WEB_PERMISSIONS___

[
  {
    "instance": {
      "key": {"publicId": "access_globals", "versionId": "1"},
      "param": [
        {
          "key": "keys",
          "value": {
            "type": 2,
            "listItem": [
              {
                "type": 3,
                "mapKey": [
                  {"type": 1, "string": "key"},
                  {"type": 1, "string": "read"},
                  {"type": 1, "string": "write"},
                  {"type": 1, "string": "execute"}
                ],
                "mapValue": [
                  {"type": 1, "string": "webengageRelay"},
                  {"type": 8, "boolean": true},
                  {"type": 8, "boolean": true},
                  {"type": 8, "boolean": false}
                ]
              },
              {
                "type": 3,
                "mapKey": [
                  {"type": 1, "string": "key"},
                  {"type": 1, "string": "read"},
                  {"type": 1, "string": "write"},
                  {"type": 1, "string": "execute"}
                ],
                "mapValue": [
                  {"type": 1, "string": "webengageRelay.options"},
                  {"type": 8, "boolean": true},
                  {"type": 8, "boolean": true},
                  {"type": 8, "boolean": false}
                ]
              },
              {
                "type": 3,
                "mapKey": [
                  {"type": 1, "string": "key"},
                  {"type": 1, "string": "read"},
                  {"type": 1, "string": "write"},
                  {"type": 1, "string": "execute"}
                ],
                "mapValue": [
                  {"type": 1, "string": "webengageRelay.options.consent"},
                  {"type": 8, "boolean": true},
                  {"type": 8, "boolean": true},
                  {"type": 8, "boolean": false}
                ]
              },
              {
                "type": 3,
                "mapKey": [
                  {"type": 1, "string": "key"},
                  {"type": 1, "string": "read"},
                  {"type": 1, "string": "write"},
                  {"type": 1, "string": "execute"}
                ],
                "mapValue": [
                  {"type": 1, "string": "webengageRelay.queue"},
                  {"type": 8, "boolean": true},
                  {"type": 8, "boolean": true},
                  {"type": 8, "boolean": false}
                ]
              },
              {
                "type": 3,
                "mapKey": [
                  {"type": 1, "string": "key"},
                  {"type": 1, "string": "read"},
                  {"type": 1, "string": "write"},
                  {"type": 1, "string": "execute"}
                ],
                "mapValue": [
                  {"type": 1, "string": "webengageRelay.createTracker"},
                  {"type": 8, "boolean": true},
                  {"type": 8, "boolean": false},
                  {"type": 8, "boolean": false}
                ]
              },
              {
                "type": 3,
                "mapKey": [
                  {"type": 1, "string": "key"},
                  {"type": 1, "string": "read"},
                  {"type": 1, "string": "write"},
                  {"type": 1, "string": "execute"}
                ],
                "mapValue": [
                  {"type": 1, "string": "webengageRelay.track"},
                  {"type": 8, "boolean": true},
                  {"type": 8, "boolean": false},
                  {"type": 8, "boolean": true}
                ]
              },
              {
                "type": 3,
                "mapKey": [
                  {"type": 1, "string": "key"},
                  {"type": 1, "string": "read"},
                  {"type": 1, "string": "write"},
                  {"type": 1, "string": "execute"}
                ],
                "mapValue": [
                  {"type": 1, "string": "webengageRelay.identify"},
                  {"type": 8, "boolean": false},
                  {"type": 8, "boolean": false},
                  {"type": 8, "boolean": true}
                ]
              },
              {
                "type": 3,
                "mapKey": [
                  {"type": 1, "string": "key"},
                  {"type": 1, "string": "read"},
                  {"type": 1, "string": "write"},
                  {"type": 1, "string": "execute"}
                ],
                "mapValue": [
                  {"type": 1, "string": "webengageRelay.reset"},
                  {"type": 8, "boolean": false},
                  {"type": 8, "boolean": false},
                  {"type": 8, "boolean": true}
                ]
              },
              {
                "type": 3,
                "mapKey": [
                  {"type": 1, "string": "key"},
                  {"type": 1, "string": "read"},
                  {"type": 1, "string": "write"},
                  {"type": 1, "string": "execute"}
                ],
                "mapValue": [
                  {"type": 1, "string": "webengageRelay.optIn"},
                  {"type": 8, "boolean": false},
                  {"type": 8, "boolean": false},
                  {"type": 8, "boolean": true}
                ]
              },
              {
                "type": 3,
                "mapKey": [
                  {"type": 1, "string": "key"},
                  {"type": 1, "string": "read"},
                  {"type": 1, "string": "write"},
                  {"type": 1, "string": "execute"}
                ],
                "mapValue": [
                  {"type": 1, "string": "webengageRelay.optOut"},
                  {"type": 8, "boolean": false},
                  {"type": 8, "boolean": false},
                  {"type": 8, "boolean": true}
                ]
              }
            ]
          }
        }
      ]
    },
    "clientAnnotations": {"isEditedByUser": true},
    "isRequired": true
  },
  {
    "instance": {
      "key": {"publicId": "inject_script", "versionId": "1"},
      "param": [
        {
          "key": "urls",
          "value": {
            "type": 2,
            "listItem": [
              {"type": 1, "string": "https://*/tracker.js"},
              {"type": 1, "string": "https://*/tracker.full.js"}
            ]
          }
        }
      ]
    },
    "clientAnnotations": {"isEditedByUser": true},
    "isRequired": true
  },
  {
    "instance": {
      "key": {"publicId": "access_consent", "versionId": "1"},
      "param": [
        {
          "key": "consentTypes",
          "value": {
            "type": 2,
            "listItem": [
              {
                "type": 3,
                "mapKey": [
                  {"type": 1, "string": "consentType"},
                  {"type": 1, "string": "read"},
                  {"type": 1, "string": "write"}
                ],
                "mapValue": [
                  {"type": 1, "string": "ad_personalization"},
                  {"type": 8, "boolean": true},
                  {"type": 8, "boolean": false}
                ]
              },
              {
                "type": 3,
                "mapKey": [
                  {"type": 1, "string": "consentType"},
                  {"type": 1, "string": "read"},
                  {"type": 1, "string": "write"}
                ],
                "mapValue": [
                  {"type": 1, "string": "ad_storage"},
                  {"type": 8, "boolean": true},
                  {"type": 8, "boolean": false}
                ]
              },
              {
                "type": 3,
                "mapKey": [
                  {"type": 1, "string": "consentType"},
                  {"type": 1, "string": "read"},
                  {"type": 1, "string": "write"}
                ],
                "mapValue": [
                  {"type": 1, "string": "ad_user_data"},
                  {"type": 8, "boolean": true},
                  {"type": 8, "boolean": false}
                ]
              },
              {
                "type": 3,
                "mapKey": [
                  {"type": 1, "string": "consentType"},
                  {"type": 1, "string": "read"},
                  {"type": 1, "string": "write"}
                ],
                "mapValue": [
                  {"type": 1, "string": "analytics_storage"},
                  {"type": 8, "boolean": true},
                  {"type": 8, "boolean": false}
                ]
              },
              {
                "type": 3,
                "mapKey": [
                  {"type": 1, "string": "consentType"},
                  {"type": 1, "string": "read"},
                  {"type": 1, "string": "write"}
                ],
                "mapValue": [
                  {"type": 1, "string": "functionality_storage"},
                  {"type": 8, "boolean": true},
                  {"type": 8, "boolean": false}
                ]
              },
              {
                "type": 3,
                "mapKey": [
                  {"type": 1, "string": "consentType"},
                  {"type": 1, "string": "read"},
                  {"type": 1, "string": "write"}
                ],
                "mapValue": [
                  {"type": 1, "string": "personalization_storage"},
                  {"type": 8, "boolean": true},
                  {"type": 8, "boolean": false}
                ]
              },
              {
                "type": 3,
                "mapKey": [
                  {"type": 1, "string": "consentType"},
                  {"type": 1, "string": "read"},
                  {"type": 1, "string": "write"}
                ],
                "mapValue": [
                  {"type": 1, "string": "security_storage"},
                  {"type": 8, "boolean": true},
                  {"type": 8, "boolean": false}
                ]
              }
            ]
          }
        }
      ]
    },
    "clientAnnotations": {"isEditedByUser": true},
    "isRequired": true
  },
  {
    "instance": {
      "key": {"publicId": "read_data_layer", "versionId": "1"},
      "param": [
        {"key": "allowedKeys", "value": {"type": 1, "string": "specific"}},
        {
          "key": "keyPatterns",
          "value": {"type": 2, "listItem": [{"type": 1, "string": "event"}, {"type": 1, "string": "ecommerce"}]}
        }
      ]
    },
    "clientAnnotations": {"isEditedByUser": true},
    "isRequired": true
  },
  {
    "instance": {
      "key": {"publicId": "get_url", "versionId": "1"},
      "param": [
        {"key": "urlParts", "value": {"type": 1, "string": "specific"}},
        {"key": "protocol", "value": {"type": 8, "boolean": true}},
        {"key": "host", "value": {"type": 8, "boolean": true}},
        {"key": "port", "value": {"type": 8, "boolean": true}},
        {"key": "path", "value": {"type": 8, "boolean": true}},
        {"key": "query", "value": {"type": 8, "boolean": true}},
        {"key": "queriesAllowed", "value": {"type": 1, "string": "specific"}},
        {
          "key": "queryKeys",
          "value": {
            "type": 2,
            "listItem": [
              {"type": 1, "string": "utm_source"},
              {"type": 1, "string": "utm_medium"},
              {"type": 1, "string": "utm_campaign"},
              {"type": 1, "string": "utm_term"},
              {"type": 1, "string": "utm_content"},
              {"type": 1, "string": "utm_id"},
              {"type": 1, "string": "gclid"},
              {"type": 1, "string": "gbraid"},
              {"type": 1, "string": "wbraid"},
              {"type": 1, "string": "fbclid"},
              {"type": 1, "string": "msclkid"},
              {"type": 1, "string": "ttclid"}
            ]
          }
        }
      ]
    },
    "clientAnnotations": {"isEditedByUser": true},
    "isRequired": true
  },
  {
    "instance": {
      "key": {"publicId": "get_referrer", "versionId": "1"},
      "param": [
        {"key": "urlParts", "value": {"type": 1, "string": "specific"}},
        {"key": "protocol", "value": {"type": 8, "boolean": true}},
        {"key": "host", "value": {"type": 8, "boolean": true}},
        {"key": "port", "value": {"type": 8, "boolean": true}},
        {"key": "path", "value": {"type": 8, "boolean": true}},
        {"key": "queriesAllowed", "value": {"type": 1, "string": "specific"}}
      ]
    },
    "clientAnnotations": {"isEditedByUser": true},
    "isRequired": true
  },
  {
    "instance": {"key": {"publicId": "read_title", "versionId": "1"}, "param": []},
    "clientAnnotations": {"isEditedByUser": true},
    "isRequired": true
  },
  {
    "instance": {"key": {"publicId": "access_template_storage", "versionId": "1"}, "param": []},
    "clientAnnotations": {"isEditedByUser": true},
    "isRequired": true
  },
  {
    "instance": {
      "key": {"publicId": "logging", "versionId": "1"},
      "param": [{"key": "environments", "value": {"type": 1, "string": "debug"}}]
    },
    "clientAnnotations": {"isEditedByUser": true},
    "isRequired": true
  }
]


___TESTS___

scenarios:
- name: Consent Mode - nothing is told before the visitor consents
  code: |-
    let listener;
    mock('copyFromWindow', () => undefined);
    mock('setInWindow', () => true);
    mock('isConsentGranted', () => false);
    mock('addConsentListener', (type, listen) => { listener = listen; });
    const calls = [];
    mock('createQueue', (key) => (call) => { calls.push(call[0]); });
    mock('injectScript', (url, onSuccess, onFailure) => { onFailure(); });

    runCode({
      tagType: 'initialize',
      relayUrl: 'https://t.example.com',
      script: 'tracker.full.js',
      consent: 'mode',
      consentType: 'analytics_storage'
    });

    assertThat(calls).isEqualTo([]);
    listener('analytics_storage', true);
    listener('analytics_storage', false);
    assertThat(calls).isEqualTo(['optIn', 'optOut']);
    assertApi('gtmOnFailure').wasCalled();
- name: Initialize - consent without its add-on loads nothing
  code: |-
    mock('copyFromWindow', () => undefined);

    runCode({
      tagType: 'initialize',
      relayUrl: 'https://t.example.com',
      script: 'tracker.js',
      consent: 'mode',
      consentType: 'analytics_storage'
    });

    assertApi('injectScript').wasNotCalled();
    assertApi('gtmOnFailure').wasCalled();
- name: Ecommerce - a product in the cart
  code: |-
    mock('copyFromDataLayer', (key) => key === 'event' ? 'add_to_cart' : {
      currency: 'USD',
      items: [{ item_id: 1337, item_name: 'Givenchy Pour Homme Cologne', price: '39.80', quantity: 1 }]
    });
    mock('copyFromWindow', () => undefined);
    mock('setInWindow', () => true);
    let queued;
    mock('createQueue', (key) => (call) => { queued = call; });

    runCode({ tagType: 'ecommerce' });

    assertThat(queued[0]).isEqualTo('track');
    assertThat(queued[1]).isEqualTo(['Added to Cart', {
      Currency: 'USD',
      'Product ID': '1337',
      Product: 'Givenchy Pour Homme Cologne',
      Price: 39.8,
      Quantity: 1
    }]);
    assertApi('gtmOnSuccess').wasCalled();
- name: Identify - the text of a missing value is no user id
  code: |-
    mock('copyFromWindow', () => undefined);

    runCode({ tagType: 'identify', userId: 'undefined' });

    assertApi('createQueue').wasNotCalled();
    assertApi('gtmOnFailure').wasCalled();


___NOTES___

The relay and its documents: docs/guides/tag-manager.md in the repository of webengage-relay.

The permission to load scripts is for /tracker.js and /tracker.full.js on any host: your relay has an address of
your own. After an import you can narrow it to that address, under Permissions.
