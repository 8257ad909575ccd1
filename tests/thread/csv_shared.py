# One reader and one writer that several threads use: no record is lost, torn or read twice.
import csv
import io
import sys
import threading

N = int(sys.argv[1]) if len(sys.argv) > 1 else 6000
THREADS = 4


class File:
    """Keeps whole records, as a file's lock would."""

    def __init__(self):
        self.records = []

    def write(self, text):
        self.records.append(text)
        return len(text)


def run(fn, *args):
    threads = [threading.Thread(target=fn, args=(i,) + args) for i in range(THREADS)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()


def read(i, reader, rows):
    for row in reader:
        rows.append(tuple(row))


lines = ['%d,"a ""quoted"" one, %d",%s' % (k, k, "x" * (k % 50)) for k in range(N)]
reader, rows = csv.reader(lines, strict=True), []
run(read, reader, rows)
expected = {(str(k), 'a "quoted" one, %d' % k, "x" * (k % 50)) for k in range(N)}
print(len(rows) == N, set(rows) == expected, reader.line_num == N)


def write(i, writer):
    for k in range(N // THREADS):
        writer.writerow([i, k, 'say "%d", twice' % k, None])


file = File()
run(write, csv.writer(file))
back = sorted((int(i), int(k), text, last) for i, k, text, last in csv.reader(io.StringIO("".join(file.records), newline="")))
print(back == [(i, k, 'say "%d", twice' % k, "") for i in range(THREADS) for k in range(N // THREADS)])


def names(i):
    for k in range(N // 20):
        csv.register_dialect("d%d" % (k % 7), delimiter=";|,"[i % 3], quoting=csv.QUOTE_ALL)
        d = csv.get_dialect("d%d" % (k % 7)) if "d%d" % (k % 7) in csv.list_dialects() else None
        assert d is None or d.delimiter in ";|," and d.quoting == csv.QUOTE_ALL
        csv.field_size_limit(100000 + i)


run(names)
print(sorted(csv.list_dialects()), 100000 <= csv.field_size_limit() < 100000 + THREADS)
