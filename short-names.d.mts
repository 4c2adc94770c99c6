export declare const SHORT_NAMES: readonly string[];
