import { StrictMode, useEffect, useState } from 'react';
import { createRoot } from 'react-dom/client';
import { BrowserRouter, Link, Route, Routes } from 'react-router';
import { tracker } from './tracker';

function Shop() {
  return (
    <>
      <title>The shop</title>
      <Link to="/mug">A mug</Link>
    </>
  );
}

function Mug() {
  const addToCart = () => tracker.track('Added to Cart', { 'Product ID': 1337, Price: 39.8 });
  return (
    <>
      <title>A mug</title>
      <button type="button" onClick={addToCart}>
        Add to cart
      </button>
    </>
  );
}

function LogIn() {
  const logIn = () => tracker.identify('johndoe', { email: 'john@doe.com' });
  return (
    <button type="button" onClick={logIn}>
      Log in
    </button>
  );
}

/** Asks once, and tells the tracker on every visit. */
function Consent() {
  const [choice, setChoice] = useState(() => localStorage.getItem('consent'));
  useEffect(() => {
    if (choice === null) return;
    localStorage.setItem('consent', choice);
    void (choice === 'allow' ? tracker.optIn() : tracker.optOut());
  }, [choice]);

  if (choice !== null) return null;
  return (
    <p>
      May we see how our shop is used?
      <button type="button" onClick={() => setChoice('allow')}>
        Allow
      </button>
      <button type="button" onClick={() => setChoice('refuse')}>
        Refuse
      </button>
    </p>
  );
}

createRoot(document.getElementById('root') as HTMLElement).render(
  <StrictMode>
    <BrowserRouter>
      <Routes>
        <Route path="/" element={<Shop />} />
        <Route path="/mug" element={<Mug />} />
      </Routes>
      <LogIn />
      <Consent />
    </BrowserRouter>
  </StrictMode>,
);
