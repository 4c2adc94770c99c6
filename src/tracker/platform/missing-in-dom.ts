// Browser features that TypeScript's DOM types lack. Any of them may be missing.
declare global {
  interface Document {
    /** https://developer.mozilla.org/docs/Web/API/Document/prerendering */
    readonly prerendering?: boolean;
  }

  interface Navigator {
    /** https://www.w3.org/TR/gpc/ */
    readonly globalPrivacyControl?: boolean;
  }

  /** https://developer.mozilla.org/docs/Web/API/SyncManager */
  interface ServiceWorkerRegistration {
    readonly sync: { readonly register: (tag: string) => Promise<void> };
  }

  /** https://developer.mozilla.org/docs/Web/API/Window/fetchLater */
  var fetchLater: ((url: string, init: RequestInit) => unknown) | undefined;

  /**
   * Zone.js, which Angular loads, watches the timers and requests made in its zones.
   * Those of a tracker must not keep an app from becoming stable.
   * https://github.com/angular/angular/issues/20970
   */
  var Zone: { readonly root: { readonly run: <T>(task: () => T) => T } } | undefined;
}

export {};
