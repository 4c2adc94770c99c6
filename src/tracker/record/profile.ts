/** What `identify` says about a user or the anonymous visitor. A `Date` is sent in WebEngage's format. */
export type Profile<Attributes extends object = object> = {
  readonly firstName?: string;
  readonly lastName?: string;
  /** A calendar day such as `1990-05-17`, or a moment. */
  readonly birthDate?: Date | string;
  readonly gender?: 'male' | 'female' | 'other';
  readonly email?: string;
  /** E.164, such as `+551155256325`. */
  readonly phone?: string;
  readonly company?: string;
  readonly emailOptIn?: boolean;
  readonly smsOptIn?: boolean;
  readonly whatsappOptIn?: boolean;
  readonly rcsOptIn?: boolean;
  readonly hashedEmail?: string;
  readonly hashedPhone?: string;
  /** Custom attributes: strings, numbers, booleans, dates, arrays and objects. */
  readonly attributes?: Attributes;
};
