/**
 * Loaded into the server by `npm start` before its own code. The server runs in a process group of its own, so that a
 * terminal's Ctrl-C reaches it once; this ends it in good order when its supervisor is killed outright.
 */
if (process.channel) {
  process.once('disconnect', () => process.kill(process.pid, 'SIGTERM'));
  // Waiting for the supervisor must not keep alive a server that has nothing left to do.
  process.channel.unref();
}
