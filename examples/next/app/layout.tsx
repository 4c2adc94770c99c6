import type { Metadata } from 'next';
import type { ReactNode } from 'react';
import { LogIn, PageViews } from './tracking';

export const metadata: Metadata = { icons: 'data:,' };

export default function Layout({ children }: { children: ReactNode }) {
  return (
    <html lang="en">
      <body>
        {children}
        <LogIn />
        <PageViews />
      </body>
    </html>
  );
}
