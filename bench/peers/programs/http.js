// Node's http and cluster modules as a peer.
// node http.js WORKERS PORT FOLDER-OF-FILES CONTENT-TYPE BODY
'use strict';
const fs = require('fs');
const http = require('http');
const path = require('path');
const {run} = require('./primary.js');

const [workers, port, files, type, body] = process.argv.slice(2);
const length = Buffer.byteLength(body);

function sendText(response) {
    response.writeHead(200, {'Content-Type': type, 'Content-Length': length});
    response.end(body);
}

function sendFile(name, response) {
    fs.stat(name, (error, stat) => {
        if (error) {
            response.writeHead(404).end();
            return;
        }
        response.writeHead(200, {
            'Content-Type': 'application/octet-stream',
            'Content-Length': stat.size,
        });
        fs.createReadStream(name).on('error', () => response.destroy()).pipe(response);
    });
}

function readAll(request, response) {
    const chunks = [];
    request.on('data', (chunk) => chunks.push(chunk));
    request.on('end', () => {
        Buffer.concat(chunks);
        sendText(response);
    });
}

function serve(request, response) {
    if (request.url === '/hello') {
        sendText(response);
    } else if (request.url === '/workerKiller') {
        response.on('finish', () => process.exit(1));
        sendText(response);
    } else if (request.url === '/upload') {
        readAll(request, response);
    } else {
        sendFile(path.join(files, path.basename(request.url)), response);
    }
}

run(Number(workers), () => {
    const server = http.createServer(serve);
    server.listen({port: Number(port), host: '127.0.0.1', backlog: 4096});
    return server;
});
