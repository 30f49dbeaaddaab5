// node with its cluster module and one worker, as a peer of bench/http.py.
// node node.js PORT FOLDER-OF-FILES CONTENT-TYPE BODY
'use strict';
const cluster = require('cluster');
const fs = require('fs');
const http = require('http');
const path = require('path');

const [port, files, type, body] = process.argv.slice(2);
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
    } else if (request.url === '/upload') {
        readAll(request, response);
    } else {
        sendFile(path.join(files, path.basename(request.url)), response);
    }
}

if (cluster.isPrimary) {
    cluster.fork();
    process.on('SIGTERM', () => {
        for (const worker of Object.values(cluster.workers)) {
            worker.process.kill('SIGKILL');
        }
        process.exit(0);
    });
} else {
    const server = http.createServer(serve);
    server.keepAliveTimeout = 75000;
    server.listen({port: Number(port), host: '127.0.0.1', backlog: 4096});
}
