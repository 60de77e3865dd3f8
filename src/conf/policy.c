/* The grace and what shares it, where a platform or other keys decide; and whether net is needed. */
#include <string.h>

#include "conf/load.h"
#include "text/duration.h"
#include "text/variable.h"

/* What a platform waits before it kills, unless it was told otherwise; in this order. announces: its
 * balancers go on sending for a while. */
static const struct platform { const char *variable, *text; uint8_t grace; bool announces; } platforms[] = {
    {"KUBERNETES_SERVICE_HOST", "Kubernetes default, not set: write grace =", 30, true},
    {"ECS_CONTAINER_METADATA_URI_V4", "ECS default, not set: write grace =", 30, true},
    {"K_SERVICE", "Cloud Run default, not set: write grace =", 10, false},
    {"DYNO", "Heroku default, not set: write grace =", 30, false},
    {"NOMAD_ALLOC_ID", "Nomad default, not set: write grace =", 5, true},
    {"FLY_APP_NAME", "Fly default, not set: write grace =", 5, false},
    {"", "default, not set: write grace =", 10, false},
};

static const struct platform *platform_of(const struct load *load) {
    const struct platform *platform = platforms;
    while (*platform->variable && !variable(load->facts->envp, platform->variable))
        platform++;
    return platform;
}

/* Whether a duration was written for it; `auto` is none. */
static bool written(const struct load *load, enum key_id id, struct value *value) {
    *value = (struct value){0};
    return value_of(load, id, value) && strcmp(value->text, "auto") != 0;
}

static void set_grace(struct load *load) {
    struct policy *policy = &load->config->model.policy;
    struct value value;
    if (written(load, K_GRACE, &value)) {
        span zero;
        if (policy->grace.ns == 0 && piece_span((struct piece){value.text, strlen(value.text)}, &zero))
            error_at(load, value.where, "%s 0s: with no time nothing can be stopped; 10s", value.origin ? value.origin : "grace =");
        if (policy->grace.ns == 0)
            policy->grace = SEC(platforms[0].grace); /* so that nothing else is found wrong for it */
    } else if (load->single && !value.text) {
        policy->grace = FOREVER;
    } else {
        const struct platform *platform = platform_of(load);
        policy->grace = SEC(platform->grace);
        load->config->grace_from = platform->text;
    }
}

static void set_reserve(struct load *load) {
    struct policy *policy = &load->config->model.policy;
    struct value value;
    if (!written(load, K_RESERVE, &value))
        policy->reserve = is_forever(policy->grace) ? NO_TIME : shorter(SEC(1), (span){policy->grace.ns / 10});
    else if (policy->reserve.ns >= policy->grace.ns && policy->grace.ns > 0)
        error_at(load, value.where, "the reserve leaves nothing of the grace; a shorter reserve or a longer grace");
}

/* 5s..15s where a balancer goes on sending, cut down to what a short grace can bear. */
static void set_announce(struct load *load) {
    struct policy *policy = &load->config->model.policy;
    span usable = minus(policy->grace, policy->reserve);
    struct value announce, grace;
    if (written(load, K_ANNOUNCE, &announce)) {
        if (policy->announce_min.ns > usable.ns)
            error_at(load, announce.where, "announce and reserve do not fit into the grace; a shorter announce or a longer grace");
        return;
    }
    policy->announce_min = policy->announce_max = NO_TIME;
    if (!platform_of(load)->announces || !load->ports_known || load->facts->terminal)
        return;
    if (load->single && !announce.text && !written(load, K_GRACE, &grace))
        return; /* nothing is timed that was not asked for */
    policy->announce_min = shorter(SEC(5), (span){usable.ns / 2});
    policy->announce_max = shorter(SEC(15), usable);
}

static span largest_at(const struct load *load, bool services, uint8_t phase, uint16_t stage) {
    span largest = NO_TIME;
    for (uint16_t i = 0; services && i < load->n_services; i++) {
        const struct service *service = &load->services[i];
        if (!is_forever(service->guarantee) && (service->level == stage || load->config->model.policy.parallel))
            largest = longer(largest, service->guarantee);
    }
    for (uint16_t i = 0; !services && i < load->n_steps; i++) {
        const struct step_policy *step = &load->steps[i];
        if (!is_forever(step->guarantee) && step->phase == phase && step->stage == stage)
            largest = longer(largest, step->guarantee);
    }
    return largest;
}

/* The written guarantees: a stage's is the largest of its steps'. */
static span sum_of_guarantees(const struct load *load) {
    span sum = NO_TIME;
    bool parallel = load->config->model.policy.parallel;
    for (uint8_t phase = PH_DRAIN; phase < PH_SWEEP; phase++)
        for (uint16_t stage = 0; stage < load->n_steps; stage++)
            sum = plus(sum, largest_at(load, false, phase, stage));
    for (uint16_t level = 0; level < (parallel ? load->n_services > 0 : load->n_services); level++)
        sum = plus(sum, largest_at(load, true, PH_STOP, level));
    return sum;
}

static void check_guarantees(struct load *load) {
    const struct policy *policy = &load->config->model.policy;
    span sum = sum_of_guarantees(load), all = plus(sum, policy->reserve);
    struct place where = {load->n_sources ? load->sources[0].name : NULL, 0};
    char text[64];
    struct out out = out_on(text, sizeof text);
    if (is_forever(policy->grace) || sum.ns == 0 || all.ns <= policy->grace.ns)
        return;
    if (load->lastcall)
        where = where_of(load->lastcall, K_GRACE);
    duration_print(&out, all);
    error_at(load, where, "the guarantees and the reserve add up to %s; a longer grace, or less of them", text);
}

static void set_net(struct load *load) {
    struct config *config = load->config;
    struct value value;
    bool control = !config->control || strcmp(config->control, "off") != 0;
    if (load->single && !value_of(load, K_CONTROL, &value)) {
        config->control = "off";
        control = false;
    }
    config->model.policy.net = config->http || control || load->net_checks;
}

/* A single command's stop delivers what came, unless --stop-signal says otherwise. */
static void set_single(struct load *load) {
    struct policy *policy = &load->config->model.policy;
    struct service *service = load->services;
    if (load->n_services == 0)
        return;
    if (load->options->given[K_STOP_SIGNAL]) {
        policy->stop_signal = service->stop[0].signal;
        if (service->n_stop > 1)
            error_at(load, (struct place){0}, "%s %s: a single command takes one signal; QUIT, or use a file",
                     load->options->origin[K_STOP_SIGNAL], load->options->given[K_STOP_SIGNAL]);
    }
    service->restart = RESTART_NO;
}

void finish_policy(struct load *load) {
    set_grace(load);
    set_reserve(load);
    set_announce(load);
    check_guarantees(load);
    set_net(load);
    if (load->single)
        set_single(load);
}
