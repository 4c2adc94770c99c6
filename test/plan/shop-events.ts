// Made from shop.json by `webengage-relay types`: change it there.

export type ShopEvents = {
  /** A product was put into the cart. */
  'Added to Cart': {
    Product: string;
    /**
     * As shown, with tax.
     * In the shop's own currency.
     */
    Price: number;
    Coupon?: string | undefined;
    Size: 'S' | 'M' | "it's one size";
    Arrives: Date | string;
    Gift: boolean;
    Tags: readonly ('new' | 'sale')[];
    Anything?: readonly unknown[] | undefined;
    Seller?: {
      Name: string;
      Stars?: 1 | 2 | 3 | undefined;
    } | undefined;
    Extra?: object | undefined;
  };
  'Signed Out': undefined;
  'Experiment Seen': {
    Name: string;
    [name: string]: unknown;
  };
  Popped: {
    [name: string]: unknown;
  };
};

export type ShopUser = {
  /** Which plan *\/ is paid for. */
  Plan?: 'free' | 'paid' | undefined;
  'Loyalty Points'?: number | undefined;
  'Member Since'?: Date | string | undefined;
};
