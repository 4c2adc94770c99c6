import {
  Component,
  InjectionToken,
  inject,
  provideAppInitializer,
  provideZoneChangeDetection,
} from '@angular/core';
import { bootstrapApplication } from '@angular/platform-browser';
import { provideRouter, RouterLink, RouterOutlet, type Routes } from '@angular/router';
import { createTracker } from 'webengage-relay';
import { trackPageViews } from 'webengage-relay/page-views';

type ShopEvents = { 'Added to Cart': { 'Product ID': number; Price: number } };

/** The app's one tracker, made where it is first injected. */
const TRACKER = new InjectionToken('The tracker', {
  providedIn: 'root',
  factory: () => createTracker<ShopEvents>({ endpoint: 'http://localhost:8787' }),
});

@Component({ imports: [RouterLink], template: '<a routerLink="/mug">A mug</a>' })
class Shop {}

@Component({ template: '<button type="button" (click)="addToCart()">Add to cart</button>' })
class Mug {
  readonly #tracker = inject(TRACKER);
  addToCart = () => this.#tracker.track('Added to Cart', { 'Product ID': 1337, Price: 39.8 });
}

@Component({
  selector: 'shop-root',
  imports: [RouterOutlet],
  template: '<router-outlet /><button type="button" (click)="logIn()">Log in</button>',
})
class Root {
  readonly #tracker = inject(TRACKER);
  logIn = () => this.#tracker.identify('johndoe', { email: 'john@doe.com' });
}

const routes: Routes = [
  { path: '', title: 'The shop', component: Shop },
  { path: 'mug', title: 'A mug', component: Mug },
];

bootstrapApplication(Root, {
  providers: [
    provideRouter(routes),
    provideAppInitializer(() => void trackPageViews(inject(TRACKER))),
    // Angular works without zones. An app that has zone.js among its polyfills may still ask for them.
    'Zone' in globalThis ? provideZoneChangeDetection() : [],
  ],
});
