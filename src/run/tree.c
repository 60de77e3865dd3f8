#include "run/tree.h"

bool tree_layout(struct tree *tree, struct arena *arena) {
    tree->v = arena_take(arena, TREE_ROOM * sizeof *tree->v);
    tree->walk = arena_take(arena, TREE_WALK * sizeof *tree->walk);
    tree->n = 0;
    return tree->v != NULL && tree->walk != NULL;
}

static void add(struct tree *tree, uint16_t job, struct proc_id id) {
    for (uint32_t i = 0; i < tree->n; i++)
        if (tree->v[i].id.pid == id.pid && tree->v[i].id.start == id.start)
            return;
    if (tree->n < TREE_ROOM)
        tree->v[tree->n++] = (struct tree_entry){.id = id, .job = job};
}

/* What is found is appended and gets its own turn, so that each process is listed once, however deep. */
static void watch_below(struct tree *tree, uint16_t job, struct proc_id parent) {
    size_t n = proc_children_of(parent, tree->walk, TREE_WALK);
    for (size_t i = 0; i < n; i++)
        add(tree, job, tree->walk[i]);
}

void tree_watch(struct tree *tree, uint16_t job, pid_t leader) {
    struct proc_stat stat;
    if (leader != 0 && proc_stat(leader, &stat))
        watch_below(tree, job, (struct proc_id){.pid = leader, .start = stat.start});
    for (uint32_t i = 0; i < tree->n; i++)
        if (tree->v[i].job == job)
            watch_below(tree, job, tree->v[i].id);
}

void tree_adopt(struct tree *tree, uint16_t job, pid_t group) {
    struct proc_stat stat;
    size_t n = proc_children_of((struct proc_id){0}, tree->walk, TREE_WALK);
    for (size_t i = 0; i < n; i++)
        if (proc_stat(tree->walk[i].pid, &stat) && stat.group == group)
            add(tree, job, tree->walk[i]);
}

void tree_signal(struct tree *tree, uint16_t job, pid_t but_group, int sig) {
    struct proc_stat stat;
    for (uint32_t i = 0; i < tree->n; i++) {
        if (tree->v[i].job != job || !proc_stat(tree->v[i].id.pid, &stat) || stat.start != tree->v[i].id.start)
            continue;
        if (but_group == 0 || stat.group != but_group)
            proc_signal(tree->v[i].id, sig);
    }
}

/* One that lives is answer enough: what is behind it is looked at when it has gone. */
bool tree_empty(struct tree *tree, uint16_t job) {
    for (uint32_t i = 0; i < tree->n;) {
        if (tree->v[i].job != job)
            i++;
        else if (proc_alive(tree->v[i].id))
            return false;
        else
            tree->v[i] = tree->v[--tree->n];
    }
    return true;
}

bool tree_holds_group(const struct tree *tree, uint16_t job, pid_t group) {
    struct proc_stat stat;
    for (uint32_t i = 0; i < tree->n; i++)
        if (tree->v[i].job == job && proc_stat(tree->v[i].id.pid, &stat) && stat.start == tree->v[i].id.start &&
            stat.group == group)
            return true;
    return false;
}

void tree_forget(struct tree *tree, uint16_t job) {
    for (uint32_t i = 0; i < tree->n;)
        if (tree->v[i].job == job)
            tree->v[i] = tree->v[--tree->n];
        else
            i++;
}
