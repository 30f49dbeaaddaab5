// The first process of a cluster, for http.js and express.js: so many workers, a new one
// for each that exits, all of them in turn with SIGHUP.
'use strict';
const cluster = require('cluster');

const IDLE_CHECK_MS = 50;

function fork() {
    const worker = cluster.fork();
    worker.on('exit', () => {
        if (!worker.leaves) {
            fork();
        }
    });
    return worker;
}

// A successor listens before a worker leaves.
function restart(workers) {
    const old = workers.shift();
    if (!old) {
        return;
    }
    fork().once('listening', () => {
        old.leaves = true;
        old.once('exit', () => restart(workers));
        old.send('leave');
    });
}

function supervise(workers) {
    for (let i = 0; i < workers; i++) {
        fork();
    }
    process.on('SIGHUP', () => restart(Object.values(cluster.workers)));
    process.on('SIGTERM', () => {
        for (const worker of Object.values(cluster.workers)) {
            worker.leaves = true;
            worker.process.kill('SIGKILL');
        }
        process.exit(0);
    });
}

// Take no more connections, finish what is in flight, exit.
function leave(server) {
    server.close(() => process.exit(0));
    setInterval(() => server.closeIdleConnections(), IDLE_CHECK_MS);
}

// serve() is called in each worker and returns its http.Server, which listens.
exports.run = function run(workers, serve) {
    if (cluster.isPrimary) {
        supervise(workers);
        return;
    }
    const server = serve();
    server.keepAliveTimeout = 600000;
    process.on('message', (message) => {
        if (message === 'leave') {
            leave(server);
        }
    });
};
