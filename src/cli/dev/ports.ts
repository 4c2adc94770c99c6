import { once } from 'node:events';
import { connect } from 'node:net';

/**
 * Whether somebody listens there, at any address that `localhost` stands for. Asked by connecting: to listen there oneself would
 * also work beside another on macOS, and on the one address of two.
 */
export async function isTaken(port: number): Promise<boolean> {
  const socket = connect({ port, host: 'localhost' });
  try {
    await once(socket, 'connect');
    return true;
  } catch {
    return false; // Refused.
  } finally {
    socket.destroy();
  }
}
