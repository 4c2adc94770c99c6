import { AddToCart } from '../tracking';

export const metadata = { title: 'A mug' };

export default function Mug() {
  return <AddToCart id={1337} price={39.8} />;
}
