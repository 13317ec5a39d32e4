"""Experts and weights of a look's routers against the reference's routing.safetensors."""
import math


def same_routing(look, routing, prompt, what, rel_tol, abs_tol):
    """Asserts that they are the same experts with the same weights, those of one prompt; returns the shape [layers, tokens, experts a token]."""
    (L, T, K), experts = routing[f"prompt{prompt}.ids"]
    weights = routing[f"prompt{prompt}.weights"][1]
    assert L == len(look["router"]), what
    for layer, router in enumerate(look["router"]):
        for t in range(T):
            at = slice((layer * T + t) * K, (layer * T + t + 1) * K)
            assert sorted(router["chosen"][t]) == sorted(experts[at]), (what, layer, t)
            for expert, weight in zip(experts[at], weights[at]):
                found = router["weights"][t][router["chosen"][t].index(expert)]
                assert math.isclose(found, weight, rel_tol=rel_tol, abs_tol=abs_tol), (what, layer, t, found, weight)
    return L, T, K
