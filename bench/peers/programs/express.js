// Node's cluster with Express as a peer: who answers, and a path that kills the worker.
// node express.js WORKERS PORT FOLDER-OF-FILES CONTENT-TYPE BODY
'use strict';
const cluster = require('cluster');
const express = require('express');
const os = require('os');
const {run} = require('./primary.js');

const [workers, port, files, type, body] = process.argv.slice(2);

function makeApplication() {
    const application = express();
    let requests = 0;
    application.use((request, response, next) => {
        requests++;
        next();
    });
    application.get('/', (request, response) => {
        response.json({
            worker: cluster.worker.id,
            pid: process.pid,
            hostname: os.hostname(),
            uptime_ms: Math.round(process.uptime() * 1000),
            requests,
        });
    });
    application.get('/workerKiller', (request, response) => {
        response.on('finish', () => process.exit(1));
        response.json({worker: cluster.worker.id, pid: process.pid});
    });
    application.get('/hello', (request, response) => response.type(type).send(body));
    application.post('/upload', express.json({limit: '4mb', strict: false}),
        (request, response) => response.type(type).send(body));
    application.use('/files', express.static(files));
    return application;
}

run(Number(workers), () => makeApplication().listen(
    {port: Number(port), host: '127.0.0.1', backlog: 4096}));
