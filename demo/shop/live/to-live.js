import { find } from '../../../dist/modules/ui/dom.js';

/** The link to the live picture, at the foot of a small screen: there as long as the picture is not. */
export function startToLive() {
  const link = find('.to-live');
  new IntersectionObserver(([{ isIntersecting }]) => {
    link.hidden = isIntersecting;
  }).observe(find('.live'));
}
