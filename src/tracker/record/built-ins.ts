// Saved when the script loads: pages replace built-ins, often with ones that do something else.
// https://github.com/prototypejs/prototype/issues/204
export const { apply } = Reflect;
export const { stringify } = JSON;
export const { isArray } = Array;
export const { getPrototypeOf, hasOwn, keys, values } = Object;
export const { toString: tagOf, hasOwnProperty: hasOwnField } = Object.prototype;
export const { toString: sourceOf } = Function.prototype;
export const NativeDate = Date;
export const { getTime, getTimezoneOffset } = Date.prototype;
