import Link from 'next/link';

export const metadata = { title: 'The shop' };

export default function Shop() {
  return <Link href="/mug">A mug</Link>;
}
