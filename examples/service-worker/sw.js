import { syncInBackground } from 'webengage-relay/service-worker';

// The pages' endpoint, exactly: it names the buffer that pages and worker share.
syncInBackground({ endpoint: 'http://localhost:8787' });
