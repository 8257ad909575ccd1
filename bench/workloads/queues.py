"""Data structures of the library: deque, heap, defaultdict, Counter, namedtuple."""
import heapq
from collections import Counter, defaultdict, deque, namedtuple

GROUP = "single"

Edge = namedtuple("Edge", "target weight")


def graph(n):
    edges = defaultdict(list)
    for i in range(n):
        for k in (1, 7, 31):
            edges[i].append(Edge((i * k + 3) % n, k))
    return edges


def dijkstra(edges, start):
    dist = {start: 0}
    heap = [(0, start)]
    while heap:
        d, node = heapq.heappop(heap)
        if d > dist[node]:
            continue
        for e in edges[node]:
            nd = d + e.weight
            if nd < dist.get(e.target, 1 << 30):
                dist[e.target] = nd
                heapq.heappush(heap, (nd, e.target))
    return dist


def bfs(edges, start):
    seen = {start}
    todo = deque([start])
    while todo:
        for e in edges[todo.popleft()]:
            if e.target not in seen:
                seen.add(e.target)
                todo.append(e.target)
    return len(seen)


def work(scale, state):
    edges = graph(scale)
    dist = dijkstra(edges, 1)
    return sum(dist.values()) + bfs(edges, 1) + len(Counter(str(sorted(dist.items()))))


SCALE = 12_000
