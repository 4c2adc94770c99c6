/** Makes untrusted text safe for a terminal, which obeys control characters. */
export const plain = (text: string): string => text.replace(/\p{C}+/gu, ' ');
